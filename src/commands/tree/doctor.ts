import { Argument, Option, type Command } from 'commander';
import type { Topic } from '../../diagnostics/check.ts';
import { declare, dirFlag } from '../terminal/command.ts';
import type { Context } from '../terminal/context.ts';
import { flag } from '../terminal/flag.ts';
import { durationValue, listValue } from '../terminal/values.ts';
import type { DoctorOptions } from '../doctor-options.ts';

/** With --probe, unless told otherwise: a person goes to another host and types a line. */
const PROBE_LISTEN_MS = 300_000;

const ids = (text: string, before: readonly string[] = []) => [
  ...before,
  ...text.split(',').filter((id) => id !== ''),
];

/** `bbx doctor` and its topics. */
export function addDoctorCommands(program: Command, context: Context): void {
  const doctor = declare(program, 'doctor', {
    purpose: 'Find out why something cannot be reached, or that nothing is wrong.',
    examples: ['bbx doctor', 'bbx doctor ipv6', 'bbx doctor reach ci.example:9989', 'bbx doctor --list'],
    notes:
      "Without a topic: all that applies to the master's or worker's directory here, or, outside one, to this host. It changes nothing " +
      'and needs no privilege. Exit code: 0 nothing wrong, 1 an error was found, 10 warnings only (with --strict), 12 something that must ' +
      'be known is unknown.',
  });
  common(doctor)
    // A word that is no topic is answered with those that there are.
    .allowExcessArguments(true)
    .action(async (_options: DoctorOptions, command: Command) => {
      const [word] = command.args;
      if (word !== undefined) throw (await import('../doctor.ts')).unknownTopic(word);
      await run(undefined, [], command);
    });

  declare(doctor, 'ipv6', {
    purpose: 'Look at IPv6: host, listeners, AAAA records, and the path.',
    examples: ['bbx doctor ipv6', 'bbx doctor ipv6 ci.example:9989', "bbx doctor ipv6 --listen '[::]:9989'"],
    notes: 'Without HOST it takes listeners and targets from the configuration of the directory.',
  })
    .addArgument(new Argument('[host[:port]]', 'where to connect'))
    .addOption(
      new Option(
        '--listen <address>',
        'an address that something listens on, or shall; repeatable',
      ).argParser(listValue),
    )
    .addOption(protocolFlag())
    .addOption(flag('--stock <dir>', "a directory of stock Buildbot's: a master's or a worker's"))
    .addOption(
      new Option(
        '--reach <name>',
        "with --stock: a name or an address that the master's workers dial; repeatable",
      ).argParser(listValue),
    )
    .action(async (host: string | undefined, _options: DoctorOptions, command: Command) =>
      run('ipv6', host === undefined ? [] : [host], command),
    );

  declare(doctor, 'dns', {
    purpose: 'Look at a name: A and AAAA from each nameserver, and what programs get.',
    examples: ['bbx doctor dns ci.example', 'bbx doctor dns ci.example --server 192.0.2.53'],
  })
    .addArgument(new Argument('<name>', 'the name'))
    .addOption(flag('--server <address>', 'ask this nameserver instead of those of the system'))
    .action(async (name: string, _options: DoctorOptions, command: Command) => run('dns', [name], command));

  declare(doctor, 'listen', {
    purpose: 'Look at addresses to listen on: free, allowed, and which families they take.',
    examples: [
      'bbx doctor listen',
      "bbx doctor listen '[::]:9989' localhost:8010",
      "bbx doctor listen '[::]:9989' --probe",
    ],
    notes:
      'With --probe it listens there itself, prints the line to run at the other end, and says what comes, for 5 minutes (--for). It ' +
      'ends with 0 when somebody was greeted, with 1 when nobody was.',
  })
    .addArgument(new Argument('[address:port...]', "default: those of the master's configuration"))
    .addOption(new Option('--probe', 'listen there in the place of a master, and say who comes'))
    .action(async (addresses: string[], options: DoctorOptions, command: Command) =>
      options.probe === true
        ? (await import('../doctor-probe.ts')).listenForProbes(
            context,
            addresses,
            command.optsWithGlobals<DoctorOptions>().for ?? PROBE_LISTEN_MS,
          )
        : run('listen', addresses, command),
    );

  declare(doctor, 'reach', {
    purpose: 'Try every address of a target, and find out who answers there.',
    examples: [
      'bbx doctor reach ci.example:9989',
      "bbx doctor reach '[2001:db8::2]:8010' --protocol http",
      'bbx doctor reach ci.example:9989 --via ssh:me@common.example --via socks5://proxy:1080',
    ],
  })
    .addArgument(new Argument('<host:port>', 'where to connect'))
    .addOption(
      new Option(
        '--via <hop>',
        'a hop on the way: ssh:me@host, socks5://…, http://proxy:3128; repeatable',
      ).argParser(listValue),
    )
    .addOption(new Option('--from <ssh:user@host>', 'look from that machine, through its ssh'))
    .addOption(protocolFlag())
    .addOption(soakFlag())
    .addOption(
      new Option('--token <token>', 'what "doctor listen --probe" printed at the other end: only it will do'),
    )
    .action(async (target: string, _options: DoctorOptions, command: Command) =>
      run('reach', [target], command),
    );

  declare(doctor, 'tls', {
    purpose: 'Look at TLS and certificates at every address of a target.',
    examples: [
      'bbx doctor tls ci.example:8010',
      'bbx doctor tls 192.0.2.10:443 --name ci.example --ca ca.pem',
    ],
  })
    .addArgument(new Argument('<host:port>', 'where to connect'))
    .addOption(flag('--ca <file>', 'certificates of the authorities to trust instead of the usual ones, PEM'))
    .addOption(flag('--name <name>', 'the name that the certificate must have; default: HOST'))
    .addOption(protocolFlag())
    .action(async (target: string, _options: DoctorOptions, command: Command) =>
      run('tls', [target], command),
    );

  declare(doctor, 'path', {
    purpose: 'Look at the way between a worker and its master from both ends.',
    examples: ['bbx doctor path w7'],
  })
    .addArgument(new Argument('<worker>', "the worker's name"))
    .action(async (worker: string, _options: DoctorOptions, command: Command) =>
      run('path', [worker], command),
    );

  declare(doctor, 'config', {
    purpose: "Look at configuration files: bbx's own, and stock Buildbot's master.cfg and buildbot.tac.",
    examples: [
      'bbx doctor config',
      'bbx doctor config /srv/buildbot/master',
      'bbx doctor config buildbot.tac --fix',
    ],
    notes:
      'Stock files are read as text and not run, unless --exec-config says so; what is not written out in them is unknown, with its line.',
  })
    .addArgument(new Argument('[path...]', 'files or directories; default: those of the directory here'))
    // No environment name: who runs a stranger's file says so in the call.
    .addOption(
      new Option(
        '--exec-config',
        "run a stock master.cfg with Buildbot's own Python, as its checkconfig does (10 s at most)",
      ),
    )
    .action(async (paths: string[], _options: DoctorOptions, command: Command) =>
      run('config', paths, command),
    );

  declare(doctor, 'source', {
    purpose: 'Look at the hosts that source code comes from.',
    examples: [
      'bbx doctor source',
      'bbx doctor source https://git.example/app.git',
      'bbx doctor source --worker w7',
    ],
  })
    .addArgument(new Argument('[url...]', 'default: the repositories of the configuration'))
    .addOption(flag('--worker <name>', 'what this attached worker reaches of it, beside what this host does'))
    .action(async (urls: string[], _options: DoctorOptions, command: Command) =>
      run('source', urls, command),
    );

  declare(doctor, 'mail', {
    purpose: 'Look at a mail server.',
    examples: ['bbx doctor mail mail.example:25'],
  })
    .addArgument(
      new Argument(
        '[host:port]',
        "a mail server, port 25 where none is written; or the URL of a web service; default: those of a stock master's configuration",
      ),
    )
    .action(async (server: string | undefined, _options: DoctorOptions, command: Command) =>
      run('mail', server === undefined ? [] : [server], command),
    );

  for (const [topic, purpose] of [
    ['proxy', 'Look at proxies: which apply, and what they let through.'],
    ['clock', 'Look at the clock of this host against others.'],
    ['host', 'Look at this host alone: kernel, addresses, routes, disks.'],
  ] as const)
    declare(doctor, topic, { purpose, examples: [`bbx doctor ${topic}`] }).action(
      async (_options: DoctorOptions, command: Command) => run(topic, [], command),
    );

  declare(doctor, 'explain', {
    purpose: 'Explain a check: what it looks at, how grave it is, what to do.',
    examples: ['bbx doctor explain PTH-02', 'bbx doctor explain DNS'],
    notes: 'Works offline. For a family (DNS) it explains each of its checks.',
  })
    .addArgument(new Argument('<id>', 'a check, or a family of them'))
    .action(async (id: string) => (await import('../doctor-explain.ts')).explainCheck(context, id));

  declare(doctor, 'compare', {
    purpose: 'Compare two reports, one from each end, and say where the fault is.',
    examples: ['bbx doctor compare worker.json master.json'],
    notes:
      'Make them with --report: "bbx doctor reach HOST:PORT --report worker.json" at one end, "bbx doctor --report master.json" in the ' +
      "master's directory at the other. What is to be shown to others gets its stand-ins here, in one go for both ends: --share.",
  })
    .addArgument(new Argument('<a.json>', 'the report of one end'))
    .addArgument(new Argument('<b.json>', 'the report of the other end'))
    .action(async (one: string, other: string, _options: DoctorOptions, command: Command) =>
      (await import('../doctor-compare.ts')).compareFiles(
        context,
        [one, other],
        command.optsWithGlobals<DoctorOptions>(),
      ),
    );

  async function run(topic: Topic | undefined, words: string[], command: Command): Promise<void> {
    const { runDoctor } = await import('../doctor.ts');
    // A flag before the topic (`bbx doctor --strict ipv6`) is the group's, and counts as well.
    await runDoctor(context, topic, words, command.optsWithGlobals<DoctorOptions>());
  }
}

function protocolFlag(): Option {
  return flag('--protocol <protocol>', 'what is expected to answer').choices([
    'bbx',
    'pb',
    'msgpack',
    'http',
    'smtp',
    'tcp',
  ]);
}

function soakFlag(): Option {
  // No environment name: a soak of `bbx drill` is a number of builds.
  return new Option('--soak', 'let connections rest for minutes (5 in all): what forgets them is found');
}

function common(command: Command): Command {
  return command
    .addOption(flag('-v, --verbose', 'every check and all evidence'))
    .addOption(flag('--only <ids>', 'only these checks: ids or groups, such as DNS,LSN-02').argParser(ids))
    .addOption(flag('--skip <ids>', 'not these checks').argParser(ids))
    .addOption(flag('--list', 'list the checks instead'))
    .addOption(flag('--strict', 'exit 10 when there are warnings'))
    .addOption(
      flag('--fail-on <status>', 'exit 1 from this on')
        .choices(['error', 'warn', 'unknown'])
        .default('error'),
    )
    .addOption(
      flag('--budget <duration>', 'time for everything together')
        .argParser(durationValue)
        .default(15_000, '15s'),
    )
    .addOption(flag('--jsonl', 'lines of JSON: one for each check as it answers, then the report'))
    .addOption(flag('--watch', 'look again and again, and tell what appears and clears; Ctrl-C ends it'))
    .addOption(flag('--until-ok', 'watch until all is well'))
    .addOption(flag('--for <duration>', 'watch no longer than this').argParser(durationValue))
    .addOption(flag('--fix', "change bbx's own files, or those named, where that is safe"))
    .addOption(flag('--yes', 'with --fix: make the changes without a question'))
    .addOption(flag('--report <file>', 'keep the report, with all that was seen, in this file'))
    .addOption(flag('--share', 'stand-ins for names, addresses, users and paths, to show to others'))
    .addOption(dirFlag("the master's or worker's"));
}
