/** Prints its start's time first, since Buildbot stores whole seconds. */
export const BEGAN = 'began';

/**
 * A `master.cfg`: `b1` to `b4` build `true`, `log` prints `lines` lines of 80 bytes, one build each for a change of the branch with its name.
 * `places`: where the files of the measurement are.
 */
export function masterConfig(options: { port: number; places: string; lines: number }): string {
  const { port, places, lines } = options;
  const print = `date +%s.%N > ${places}/${BEGAN}; yes ${'x'.repeat(79)} | head -n ${lines}`;
  return `
from buildbot.plugins import changes, schedulers, steps, util, worker

COMMANDS = {'b%d' % i: ['true'] for i in range(1, 5)}
COMMANDS['log'] = ['sh', '-c', ${JSON.stringify(print)}]

def factory(command):
    return util.BuildFactory([steps.ShellCommand(command=command)])

c = BuildmasterConfig = {
    'title': 'bench',
    'titleURL': 'http://localhost/',
    'buildbotURL': 'http://localhost/',
    'db': {'db_url': 'sqlite:///state.sqlite'},
    'protocols': {'pb': {'port': 'tcp:${port}:interface=127.0.0.1'}},
    'workers': [worker.Worker('w1', 'secret', max_builds=4)],
    'change_source': [changes.PBChangeSource(user='change', passwd='changepw')],
    'builders': [
        util.BuilderConfig(name=name, workernames=['w1'], factory=factory(command))
        for name, command in COMMANDS.items()
    ],
    'schedulers': [
        schedulers.SingleBranchScheduler(
            name='on-' + name, builderNames=[name], treeStableTimer=None,
            change_filter=util.ChangeFilter(branch=name))
        for name in COMMANDS
    ],
    'collapseRequests': False,
    'buildbotNetUsageData': None,
}
`;
}

/** A program that reads `BRANCH COUNT` from its input and sends so many changes, as \`buildbot sendchange\` does, without a process for each. */
export const SENDER = `
import sys
from twisted.internet import defer, reactor, task, threads
from buildbot.clients.sendchange import Sender

@defer.inlineCallbacks
def main(reactor, port):
    sender = Sender('127.0.0.1:' + port, ('change', 'changepw'))
    number = 0
    while True:
        line = yield threads.deferToThread(sys.stdin.readline)
        if not line:
            return
        branch, count = line.split()
        for _ in range(int(count)):
            number += 1
            yield sender.send(branch, str(number), 'a change', ['a'], who='bench')
        print('sent', flush=True)

print('ready', flush=True)
task.react(main, sys.argv[1:])
`;
