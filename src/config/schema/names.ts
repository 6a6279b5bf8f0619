import * as z from 'zod';

/** A repository's, scheduler's name. */
export const plainName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/, {
  error:
    'is not a name: it starts with a letter or digit and has only letters, digits and . _ - (at most 80)',
});

/**
 * A builder's name: also the directory of its builds, and `bbx build show NAME` must not take it for an id, a request (`r17`) or a
 * change (`c5`).
 */
export const builderName = plainName.refine((name) => !/^[rc]?\d+$/.test(name), {
  error: 'reads like the number of a build, a request or a change: begin with a word',
});

/** A worker's name: its host's name fits. */
export const workerName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, {
  error:
    'is not a name: it starts with a letter or digit and has only letters, digits and . _ - (at most 100)',
});

/** A worker's name, or a pattern with `*` for many of them. */
export const workerPattern = z.string().regex(/^[A-Za-z0-9*][A-Za-z0-9._*-]{0,99}$/, {
  error: 'is not a name or a pattern: only letters, digits, . _ - and * (at most 100)',
});

/** The name of a secret or of a property. */
export const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/, {
  error: 'is not a name: it starts with a letter or _ and has only letters, digits and _ . - (at most 100)',
});

/** The name of an environment variable. */
export const environmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/, {
  error: 'is not a name of an environment variable: letters, digits and _ only, not a digit first',
});
