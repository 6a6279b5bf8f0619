import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readChat } from '../../../src/diagnostics/doors/chat.ts';
import { chatSubject } from '../../../src/diagnostics/far-subjects.ts';

async function ask(does: (socket: Socket) => void) {
  let heard = '';
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => (heard += bytes.toString()));
    does(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const chat = chatSubject({ host: 'irc.example', port, secure: false, source: 'master.cfg' });
    const fact = await readChat(chat, '127.0.0.1', new AbortController().signal);
    return { ...fact, heard };
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

describe('an address of a chat server', () => {
  it.each<[string, (socket: Socket) => void, string]>([
    [
      'IRC that looks its peers up',
      (socket) => socket.write(':irc.example NOTICE * :*** Looking up\r\n'),
      'irc',
    ],
    [
      'IRC that only answers',
      (socket) => void socket.once('data', () => socket.end('ERROR :Closing Link\r\n')),
      'irc',
    ],
    [
      'IRC in two pieces',
      (socket) => {
        socket.write(':irc.exam');
        socket.once('data', () => socket.write('ple 451 * :You have not registered\r\n'));
      },
      'irc',
    ],
    ['ssh', (socket) => socket.end('SSH-2.0-x\r\n'), 'strange'],
    ['mail', (socket) => socket.end('220 mail.example ESMTP\r\n'), 'strange'],
    ['a flood', (socket) => void socket.write(Buffer.alloc(1 << 20, 'x')), 'strange'],
    ['who closes', (socket) => socket.end(), 'closed'],
  ])('is heard: %s', async (_title, does, outcome) => {
    const fact = await ask(does);
    expect(fact.outcome).toBe(outcome);
    expect(fact.said.length).toBeLessThanOrEqual(120);
    // Nobody is named.
    expect(fact.heard).not.toMatch(/NICK|USER|PASS|JOIN/);
  });
});
