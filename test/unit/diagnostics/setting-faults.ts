import { BOTH, ONLY4, ONLY6, type Case } from './recorded.ts';
import { type Fault } from './usual.ts';

const setting = (text: string) => ({
  kind: 'setting' as const,
  key: 'listen.workers',
  text,
  role: 'listen' as const,
  source: 'master.yaml:2:12',
});

const reach = (text: string, more: object = {}) => ({
  ...setting(text),
  key: 'reach',
  role: 'connect' as const,
  ...more,
});

/** Faults of what stands in a configuration. */
export const SETTING_FAULTS: Fault[] = [
  [
    'a mistake elsewhere in the configuration',
    { subjects: [{ ...setting(''), problem: 'unknown key "listem"' }] },
    ['CFG-01'],
    'error',
  ],
  ['an address that cannot be read', { subjects: [setting('[::]:99999')] }, ['CFG-02'], 'error'],
  ['an IPv6 address and a port without brackets', { subjects: [setting('::1:9989')] }, ['CFG-02'], 'error'],
  ['a port that is no number', { subjects: [setting('192.0.2.1:http')] }, ['CFG-01'], 'error'],
  ['a name to listen on', { subjects: [setting('farm.example:9989')] }, ['CFG-03'], 'error'],
  [
    'a zone in what workers are told',
    { subjects: [reach('[fe80::1%eth0]:9989', { refusal: 'it has a zone' })] },
    ['CFG-07'],
    'error',
  ],
  [
    'a zone in the public address',
    { subjects: [reach('http://[fe80::1%25eth0]:8010/', { key: 'url', refusal: 'it is no page' })] },
    ['CFG-07'],
    'error',
  ],
  [
    'an address that the configuration does not take for a reason of its own',
    { subjects: [reach('[2001:db8::2]:9989', { refusal: 'it stands there twice' })] },
    ['CFG-01'],
    'error',
  ],
  [
    'an IPv4 address in a plan with IPv6 alone',
    { subjects: [reach('11.0.0.2:9989')], intent: ONLY6 },
    ['CFG-05'],
    'error',
  ],
  [
    'an IPv6 address in a plan with IPv4 alone',
    { subjects: [reach('[2a00:1::2]:9989')], intent: ONLY4 },
    ['CFG-05'],
    'error',
  ],
  [
    'IPv4 addresses alone where both families are meant',
    { subjects: [reach('11.0.0.2:9989'), reach('11.0.0.3:9989')], intent: BOTH },
    ['CFG-05'],
    'warn',
  ],
];

/** Values with nothing wrong in them. */
export const SETTING_CONTROLS: [title: string, given: Case][] = [
  [
    'a path whose words are apart, which has no zone',
    { subjects: [reach('wss://ci.example/build%20farm/bbx/worker')] },
  ],
  ['a name in a plan with IPv6 alone', { subjects: [reach('ci.example:9989')], intent: ONLY6 }],
  [
    'a way for each family where both are meant',
    { subjects: [reach('11.0.0.2:9989'), reach('[2a00:1::2]:9989')], intent: BOTH },
  ],
  ['every address, in a plan with IPv4 alone', { subjects: [setting('[::]:9989')], intent: ONLY4 }],
  [
    "a worker's own way over one of its links",
    { subjects: [reach('[fe80::1%eth0]:9989', { key: 'master' })] },
  ],
];
