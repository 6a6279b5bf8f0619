import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import * as packet from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { queryServer } from '../../../../src/net/dns/client.ts';

type Reply = Buffer | Buffer[] | undefined;

/** A nameserver on a loopback port that answers as it is told, over UDP and TCP. */
async function startNameserver(udp: (query: packet.Packet) => Reply, tcp?: (query: packet.Packet) => Buffer) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const whole = tcp?.(packet.decode(data.subarray(2)));
      if (whole === undefined) return void socket.destroy();
      const length = Buffer.alloc(2);
      length.writeUInt16BE(whole.length);
      // Cut at an awkward place.
      socket.write(Buffer.concat([length, whole]).subarray(0, 5));
      setImmediate(() => socket.end(Buffer.concat([length, whole]).subarray(5)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = createSocket('udp4');
  const asked: packet.Packet[] = [];
  socket.on('message', (bytes, from) => {
    const query = packet.decode(bytes);
    asked.push(query);
    for (const reply of [udp(query) ?? []].flat()) socket.send(reply, from.port, from.address);
  });
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return {
    server: { address: '127.0.0.1', port },
    asked,
    async [Symbol.asyncDispose]() {
      socket.close();
      server.close();
      await once(server, 'close');
    },
  };
}

const reply = (query: packet.Packet, part: Partial<packet.Packet> = {}) =>
  packet.encode({ type: 'response', id: query.id ?? 0, questions: query.questions ?? [], ...part });
const address = { type: 'A', name: 'ci.example', ttl: 60, data: '192.0.2.10' } as const;
const quick = { tryMs: 300 };

describe('queryServer', () => {
  it('says that there is no way to a server whose address lacks its zone', async () => {
    const answer = await queryServer({ address: 'fe80::1', port: 53 }, 'ci.example', 'A', quick);
    expect(answer).toMatchObject({ values: [], errno: 'EINVAL' });
  });

  it('gives addresses, rcode and time', async () => {
    await using rig = await startNameserver((query) => reply(query, { answers: [address] }));
    expect(await queryServer(rig.server, 'CI.example.', 'A', quick)).toMatchObject({
      values: ['192.0.2.10'],
      rcode: 'NOERROR',
      errno: undefined,
      over: 'udp',
      tries: 1,
    });
    expect(rig.asked[0]?.questions).toMatchObject([{ type: 'A' }]);
  });

  it.each([
    [0, 'ENODATA'],
    [2, 'ESERVFAIL'],
    [3, 'ENOTFOUND'],
    [5, 'EREFUSED'],
  ])('names an answer without addresses, code %d, as %s', async (flags, errno) => {
    await using rig = await startNameserver((query) => reply(query, { flags }));
    expect(await queryServer(rig.server, 'ci.example', 'AAAA', quick)).toMatchObject({ errno, values: [] });
  });

  it('follows CNAMEs, and takes no record of a name that was not asked for', async () => {
    await using rig = await startNameserver((query) =>
      reply(query, {
        answers: [
          { type: 'CNAME', name: 'ci.example', data: 'host.example' },
          { ...address, name: 'host.example', data: '192.0.2.11' },
          { ...address, name: 'evil.example', data: '192.0.2.66' },
        ],
      }),
    );
    expect((await queryServer(rig.server, 'ci.example', 'A', quick)).values).toEqual(['192.0.2.11']);
  });

  it('is sent in no circle by CNAMEs that name each other', async () => {
    await using rig = await startNameserver((query) =>
      reply(query, {
        answers: [
          { type: 'CNAME', name: 'ci.example', data: 'b.example' },
          { type: 'CNAME', name: 'b.example', data: 'ci.example' },
        ],
      }),
    );
    expect(await queryServer(rig.server, 'ci.example', 'A', quick)).toMatchObject({ errno: 'ENODATA' });
  });

  it('passes over answers with another id or to another question, and garbage, when the true one follows', async () => {
    await using rig = await startNameserver((query) => [
      packet.encode({
        type: 'response',
        id: (query.id ?? 0) ^ 1,
        questions: query.questions ?? [],
        answers: [{ ...address, data: '192.0.2.66' }],
      }),
      reply(query, {
        questions: [{ type: 'A', name: 'evil.example' }],
        answers: [{ ...address, data: '192.0.2.67' }],
      }),
      Buffer.from('garbage'),
      reply(query, { answers: [address] }),
    ]);
    expect((await queryServer(rig.server, 'ci.example', 'A', quick)).values).toEqual(['192.0.2.10']);
  });

  it('calls it a bad response when nothing but garbage came', async () => {
    await using rig = await startNameserver(() => Buffer.from('garbage'));
    expect(await queryServer(rig.server, 'ci.example', 'A', { tryMs: 50 })).toMatchObject({
      errno: 'EBADRESP',
      rcode: undefined,
      tries: 2,
    });
  });

  it('asks a silent server twice', async () => {
    await using rig = await startNameserver(() => undefined);
    const answer = await queryServer(rig.server, 'ci.example', 'A', { tryMs: 50 });
    expect(answer).toMatchObject({ errno: 'silence', tries: 2 });
    expect(rig.asked).toHaveLength(2);
  });

  it('asks over TCP when the answer was cut', async () => {
    await using rig = await startNameserver(
      (query) => reply(query, { flags: packet.TRUNCATED_RESPONSE }),
      (query) => reply(query, { answers: [address] }),
    );
    expect(await queryServer(rig.server, 'ci.example', 'A', quick)).toMatchObject({
      values: ['192.0.2.10'],
      over: 'tcp',
      truncated: true,
    });
  });

  it('says so when the answer was cut and TCP gives none', async () => {
    await using rig = await startNameserver((query) => reply(query, { flags: packet.TRUNCATED_RESPONSE }));
    expect(await queryServer(rig.server, 'ci.example', 'A', quick)).toMatchObject({
      errno: 'ECONNRESET',
      over: 'tcp',
      truncated: true,
    });
  });

  it('learns at once that nothing listens there', async () => {
    const server = { address: '127.0.0.1', port: 1 };
    expect(await queryServer(server, 'ci.example', 'A')).toMatchObject({ errno: 'ECONNREFUSED' });
  });

  it('sends nothing for a name that cannot be asked', async () => {
    const server = { address: '127.0.0.1', port: 1 };
    expect(await queryServer(server, 'a..b', 'A')).toMatchObject({ errno: 'EBADNAME', tries: 0 });
  });

  it('ends with the reason of the signal', async () => {
    await using rig = await startNameserver(() => undefined);
    const abort = new AbortController();
    const asked = queryServer(rig.server, 'ci.example', 'A', { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  it('is given up by the signal also while it is asked over TCP', async () => {
    const abort = new AbortController();
    await using rig = await startNameserver(
      (query) => {
        abort.abort(new Error('enough'));
        return reply(query, { flags: packet.TRUNCATED_RESPONSE });
      },
      (query) => reply(query, { answers: [address] }),
    );
    const options = { ...quick, tcpMs: 5_000, signal: abort.signal };
    await expect(queryServer(rig.server, 'ci.example', 'A', options)).rejects.toThrow('enough');
  });
});
