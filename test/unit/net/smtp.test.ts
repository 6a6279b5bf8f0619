import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { greetSmtp, upgradeSmtp } from '../../../src/net/smtp.ts';
import { smtpServer, type SmtpBehaviour } from '../../rigs/smtp-server.ts';

const signal = new AbortController().signal;

async function greet(behaviour: SmtpBehaviour, limitMs = 5_000) {
  await using server = await smtpServer(behaviour);
  const socket = connect(server.port, '127.0.0.1');
  try {
    const greeting = await greetSmtp(socket, { name: 'here.test', signal, limitMs });
    return { greeting, said: server.said };
  } finally {
    socket.destroy();
  }
}

const every = (text: string) => (socket: Socket) => {
  const more = () => {
    if (socket.writable && socket.write(text.repeat(5_000))) setImmediate(more);
  };
  socket.on('drain', more);
  more();
};

describe('the greeting of a mail server', () => {
  it('names its code, its words and what it can do, and takes its leave', async () => {
    const { greeting, said } = await greet({ extensions: ['size 100', 'AUTH PLAIN LOGIN'] });
    expect(greeting).toMatchObject({
      outcome: 'ready',
      code: 220,
      banner: 'mail.test ESMTP ready',
      extensions: ['SIZE 100', 'AUTH PLAIN LOGIN'],
    });
    expect(said[0]).toBe('EHLO here.test');
  });

  it('is read over several lines and in any pieces', async () => {
    const { greeting } = await greet({
      instead: (socket) => {
        const words = '220-mail.test\r\n220-is\r\n220 here\r\n';
        [...words].forEach((letter) => socket.write(letter));
        socket.once('data', () => socket.write('250 hello\r\n'));
      },
    });
    expect(greeting).toMatchObject({ outcome: 'ready', banner: 'mail.test', extensions: [] });
  });

  it('falls back to HELO for a server that knows no EHLO', async () => {
    const seen: string[] = [];
    const { greeting } = await greet({
      instead: (socket) => {
        socket.write('220 old\r\n');
        socket.on('data', (bytes) => {
          const [line = ''] = bytes.toString().split('\r\n');
          seen.push(line);
          socket.write(line.startsWith('HELO') ? '250 hello\r\n' : '500 what?\r\n');
        });
      },
    });
    expect(greeting).toMatchObject({ outcome: 'ready', extensions: [] });
    expect(seen.slice(0, 2)).toEqual(['EHLO here.test', 'HELO here.test']);
  });

  it.each<[string, SmtpBehaviour, string, RegExp | null]>([
    ['a server that refuses', { banner: '554 no mail from you' }, 'refused', null],
    ['a server that is silent', { instead: () => undefined }, 'silent', null],
    ['a server that closes', { instead: (socket) => socket.end() }, 'closed', null],
    ['half a line', { instead: (socket) => socket.write('220 mai') }, 'silent', null],
    ['half a line and the end', { instead: (socket) => socket.end('220 mai') }, 'closed', null],
    [
      'a web server',
      { instead: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') },
      'strange',
      /no answer of a mail server/,
    ],
    ['a line without end', { instead: every('x'.repeat(1_000)) }, 'strange', /longer than|more than/],
    ['lines without end', { instead: every('220-more\r\n') }, 'strange', /more than/],
    [
      'a server that goes silent after its banner',
      { instead: (socket) => socket.write('220 hi\r\n') },
      'silent',
      null,
    ],
  ])('ends in a word with %s', async (_title, behaviour, outcome, problem) => {
    const { greeting } = await greet(behaviour, 1_000);
    expect(greeting.outcome).toBe(outcome);
    if (problem !== null) expect(greeting.problem).toMatch(problem);
    expect(greeting.banner?.length ?? 0).toBeLessThanOrEqual(2_048);
  });

  it("ends with the signal's reason when it is aborted", async () => {
    await using server = await smtpServer({ instead: () => undefined });
    const socket = connect(server.port, '127.0.0.1');
    const stop = new AbortController();
    const greeting = greetSmtp(socket, { name: 'here.test', signal: stop.signal, limitMs: 60_000 });
    stop.abort(new Error('enough'));
    await expect(greeting).rejects.toThrow('enough');
    socket.destroy();
  });

  it('says why TLS does not begin', async () => {
    await using server = await smtpServer();
    const socket = connect(server.port, '127.0.0.1');
    expect(await upgradeSmtp(socket, { name: 'here.test', signal })).toBe('502 not here');
    socket.destroy();
  });
});
