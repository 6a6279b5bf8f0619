import { didYouMean } from '../base/did-you-mean.ts';
import { hasTemplate, parseTemplate } from '../build/properties.ts';
import { problemAt, type ConfigDocument } from './document.ts';
import { valueAt } from './key-path.ts';
import type { Problem } from './problem.ts';

/** Properties that every build has, or gets from its checkout. */
const STANDARD_PROPERTIES = [
  'branch',
  'revision',
  'repository',
  'builder',
  'number',
  'worker',
  'workdir',
  'got_revision',
] as const;

/** Faults in `${{ property }}`: where it is not filled in, where it cannot be read, and names that nothing sets (warnings). */
export function templateProblems(document: ConfigDocument): Problem[] {
  return keysOf(valueAt(document.value, ['builders'])).flatMap((builder) => {
    const path = ['builders', builder];
    const known = knownProperties(document, builder);
    const steps = valueAt(document.value, [...path, 'steps']);
    return [
      ...environment(document, [...path, 'env'], known),
      ...(Array.isArray(steps) ? steps : []).flatMap((_, index) => [
        ...environment(document, [...path, 'steps', index, 'env'], known),
        ...command(document, [...path, 'steps', index, 'run'], known),
      ]),
    ];
  });
}

function command(document: ConfigDocument, path: PropertyKey[], known: ReadonlySet<string>): Problem[] {
  const run = valueAt(document.value, path);
  if (Array.isArray(run)) return run.flatMap((_, index) => text(document, [...path, index], known));
  if (typeof run !== 'string' || !hasTemplate(run)) return [];
  const first = parseTemplate(run).parts.find((part) => 'property' in part);
  const name = first !== undefined && 'property' in first ? first.property : 'branch';
  const variable = name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_');
  return [
    problemAt(document, path, {
      message:
        'a property in a text command would become part of the program: whoever names a branch "$(…)" could run anything',
      fix: `write env: { ${variable}: "\${{ ${name} }}" } and "$${variable}" in the command, or make the command a list`,
    }),
  ];
}

function environment(document: ConfigDocument, path: PropertyKey[], known: ReadonlySet<string>): Problem[] {
  return keysOf(valueAt(document.value, path)).flatMap((name) => text(document, [...path, name], known));
}

function text(document: ConfigDocument, path: PropertyKey[], known: ReadonlySet<string>): Problem[] {
  const value = valueAt(document.value, path);
  if (typeof value !== 'string') return [];
  const { parts, problems } = parseTemplate(value);
  const strangers = parts.flatMap((part) =>
    'property' in part && !known.has(part.property) ? [part.property] : [],
  );
  return [
    ...problems.map(({ problem }) =>
      problemAt(document, path, {
        message: problem,
        fix: 'write ${{ name }}, or $${{ for the characters themselves',
      }),
    ),
    ...strangers.map((name) => {
      const near = didYouMean(name, known);
      return problemAt(document, path, {
        severity: 'warning',
        message: `nothing here sets the property "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`,
        fix: 'builds without it end as exception; give it a value under "properties:" of the builder',
      });
    }),
  ];
}

/** Standard properties, the builder's own, and those of the schedulers that start it. */
function knownProperties(document: ConfigDocument, builder: string): ReadonlySet<string> {
  const schedulers = keysOf(valueAt(document.value, ['schedulers'])).filter((name) => {
    const builders = valueAt(document.value, ['schedulers', name, 'builders']);
    return Array.isArray(builders) && builders.includes(builder);
  });
  return new Set([
    ...STANDARD_PROPERTIES,
    ...keysOf(valueAt(document.value, ['builders', builder, 'properties'])),
    ...schedulers.flatMap((name) => keysOf(valueAt(document.value, ['schedulers', name, 'properties']))),
  ]);
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}
