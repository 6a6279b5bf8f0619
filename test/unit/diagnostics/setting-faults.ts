import { type Fault } from './usual.ts';

const setting = (text: string) => ({
  kind: 'setting' as const,
  key: 'listen.workers',
  text,
  role: 'listen' as const,
  source: 'master.yaml:2:12',
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
];
