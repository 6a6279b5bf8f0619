import manifest from '../../package.json' with { type: 'json' };

export const BBX_VERSION: string = manifest.version;
