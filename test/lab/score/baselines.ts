import type { LabCase } from '../cases/case.ts';
import { onStage, type Call, type Ran } from '../stage/stage.ts';
import { inLanes, type LabRun } from './run.ts';
import { mark, score, type Said, type Score } from './score.ts';

/** How another program did on the same faults, by the same rules. */
export interface Baseline {
  readonly name: string;
  readonly score: Score;
  /** Faults at which it said at least that something is wrong. */
  readonly noticed: number;
}

interface Tool {
  readonly name: string;
  /** Undefined for what it would never be pointed at. */
  call(host: string, port: string, scheme: string | undefined): Call | undefined;
  /** Whether it says that something is wrong. */
  alarmed(ran: Ran): boolean;
}

const WAIT_S = 6;
/** Until a stock worker begins to connect. */
const START_S = 30;
/** What a busy machine may add. */
const BUSY_S = 10;

/** The naive probe: what a person writes first. */
const CONNECT = `
const [host, port] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port: Number(port) }, () => { console.log('connected'); process.exit(0); });
socket.on('error', (error) => { console.log(error.message || error.code); process.exit(1); });
setTimeout(() => { console.log('timed out'); process.exit(1); }, ${WAIT_S * 1000});
`;

const TAC = `
import os
from twisted.application import service
from buildbot_worker.bot import Worker
application = service.Application('buildbot-worker')
Worker('HOST', PORT, 'w', 'p', os.getcwd(), 60, umask=None, maxdelay=60).setServiceParent(application)
`;

const TOOLS: readonly Tool[] = [
  {
    name: 'curl -v',
    call: (host, port, scheme = 'telnet') => ({
      words: [
        'curl',
        '-v',
        '-o',
        '/dev/null',
        '--max-time',
        String(WAIT_S),
        // The doctor is told of the lab's authority as well.
        ...(scheme === 'https' ? ['--cacert', 'ca.pem'] : []),
        `${scheme}://${bracketed(host)}:${port}/`,
      ],
      limitS: WAIT_S + BUSY_S,
    }),
    // Its telnet waits for the other end for ever; connected is all that it could say.
    alarmed: ({ code, stderr }) => code !== 0 && !(code === 28 && /Connected to/.test(stderr)),
  },
  {
    name: 'nc -z',
    call: (host, port) => ({
      words: ['nc', '-zv', '-w', String(WAIT_S), host, port],
      limitS: WAIT_S * 2 + BUSY_S,
    }),
    alarmed: ({ code }) => code !== 0,
  },
  {
    name: 'net.connect',
    call: (host, port) => ({ words: [process.execPath, '-e', CONNECT, host, port], limitS: WAIT_S + BUSY_S }),
    alarmed: ({ code }) => code !== 0,
  },
  {
    name: "a stock worker's log",
    call: (host, port, scheme) =>
      scheme !== undefined
        ? undefined
        : {
            words: [
              ...[
                'sh',
                '-c',
                [
                  `mkdir stock; printf '%s' "$0" > stock/buildbot.tac; cd stock; timeout ${START_S + WAIT_S} twistd3 -noy buildbot.tac > log 2>&1 &`,
                  // Its time begins when it begins to connect, however busy the machine is; once it has said how that went, that is all.
                  `for i in $(seq ${START_S * 5}); do grep -q 'Starting factory\\|Traceback' log && break; sleep 0.2; done`,
                  `for i in $(seq ${WAIT_S * 5}); do grep -q 'retry\\|Traceback\\|onnected' log && break; sleep 0.2; done`,
                  'kill $!; cat log',
                ].join(' '),
              ],
              TAC.replace('HOST', host).replace('PORT', port),
            ],
            limitS: START_S + WAIT_S + BUSY_S,
          },
    alarmed: ({ stdout, stderr }) => /Scheduling retry|Traceback|Failure|rror:/.test(stdout + stderr),
  },
];

/** What its words may be taken to name, most generously read. */
const STATEMENTS: readonly (readonly [words: RegExp, ids: readonly string[]])[] = [
  [
    /resolv|getaddrinfo|ENOTFOUND|EAI_AGAIN|Name or service|DNSLookupError/i,
    ['DNS-01', 'DNS-02', 'DNS-05', 'DNS-13'],
  ],
  [/has expired|not yet valid|CERT_HAS_EXPIRED/i, ['TLS-04']],
  [/no alternative certificate subject|ALTNAME|does not match/i, ['TLS-03']],
  [/local issuer|self.signed|UNABLE_TO_VERIFY/i, ['TLS-02']],
  [/wrong version number/i, ['TLS-06']],
  [/alert protocol version|unsupported protocol|no application protocol/i, ['TLS-08']],
  [/certificate required/i, ['TLS-07']],
  [/refused/i, ['PTH-04', 'PTH-02', 'LSN-01', 'LSN-02', 'LSN-03']],
  [/unreachable|ENETUNREACH|EHOSTUNREACH|no route/i, ['HST-03', 'PTH-04', 'PTH-02', 'PTH-01']],
  [/EADDRNOTAVAIL|cannot assign/i, ['HST-01', 'LIM-02']],
  [/EACCES|permission denied/i, ['PTH-04']],
  [/EINVAL|invalid argument/i, ['PTH-08', 'PTH-04']],
  [/EMFILE|too many open files/i, ['LIM-01']],
  [/timed out|timeout|ETIMEDOUT/i, ['PTH-01', 'PTH-04', 'PTH-02']],
  [/reset|empty reply/i, ['PRX-06', 'PRO-01', 'PRO-03', 'TLS-06']],
];

export async function runBaselines(cases: readonly LabCase[], run: LabRun): Promise<Baseline[]> {
  const answers = await inLanes(cases, run, async (one) => {
    // A stage that a busy machine could not make is made once more.
    const said = await askTools(one, run).catch(() => askTools(one, run));
    run.tell(`${one.id}  ${said.map(({ said: { grave } }) => grave.join(' ') || '-').join('  ')}`);
    return { one, said };
  });
  const known = answers.filter((answer) => answer !== undefined);
  return TOOLS.map(({ name }, index) => {
    const marks = known.map(({ one, said }) => mark(one, said[index]!.said));
    const noticed = known.filter(({ one, said }) => one.root.length > 0 && said[index]!.alarmed).length;
    return { name, score: score(marks), noticed };
  });
}

async function askTools(one: LabCase, run: LabRun): Promise<{ said: Said; alarmed: boolean }[]> {
  const parts = /^(?:(?<scheme>\w+):\/\/)?(?<host>.*):(?<port>\d+)$/.exec(one.target ?? '')?.groups;
  const silent = { said: { grave: [], facts: [], ms: 0 }, alarmed: false };
  // They look at places to connect to, and nowhere else.
  if (parts === undefined) return TOOLS.map(() => silent);
  const { host = '', port = '', scheme } = parts;
  const calls = TOOLS.map((tool) => tool.call(host.replace(/^\[|\]$/g, ''), port, scheme));
  const ran = await onStage(
    one.recipe,
    calls.filter((call) => call !== undefined),
    run.hands,
  );
  return TOOLS.map((tool, index) => {
    const answer = calls[index] === undefined ? undefined : ran.shift();
    if (answer === undefined) return silent;
    const alarmed = tool.alarmed(answer);
    const grave = alarmed || tool.name === 'curl -v' ? readWords(one, answer, alarmed) : [];
    return { said: { grave, facts: [], ms: answer.ms }, alarmed };
  });
}

/** The ids that its words stand for: of those that a sentence may mean, the one that is right, where one is. */
function readWords(one: LabCase, { stdout, stderr }: Ran, alarmed: boolean): string[] {
  const lines = `${stdout}\n${stderr}`.split('\n');
  // Where it went well in the end, what failed on the way may still be read in its protocol.
  const telling = alarmed ? lines : lines.filter((line) => /^\*.*failed/.test(line));
  const allowed = [...one.root, ...(one.also ?? [])];
  const ids = telling.flatMap((line) => {
    const [, meant] = STATEMENTS.find(([words]) => words.test(line)) ?? [];
    return meant === undefined ? [] : [allowed.find((id) => meant.includes(id)) ?? meant[0]!];
  });
  if (ids.length === 0 && alarmed) return ['?'];
  return [...new Set(ids)];
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
