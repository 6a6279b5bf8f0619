import manifest from '../../package.json' with { type: 'json' };

/** Of package.json. */
export const BBX_VERSION: string = manifest.version;
