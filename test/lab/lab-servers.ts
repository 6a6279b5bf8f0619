import { decode, encode } from 'dns-packet';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** What a lab needs inside its namespace: a nameserver on 127.0.0.1 and [::1], and listeners. Runs until it is killed. */
export interface LabServers {
  /** Name → records by type; a type that is missing is NODATA, a name that is missing NXDOMAIN. */
  names: Record<string, { A?: string[]; AAAA?: string[] | 'SERVFAIL' | 'timeout' }>;
  listeners: { host: string; port: number; ipv6Only?: boolean; says?: string }[];
}

const spec = JSON.parse(process.argv[2] ?? '{}') as LabServers;

for (const [kind, host] of [
  ['udp4', '127.0.0.1'],
  ['udp6', '::1'],
] as const) {
  const socket = createSocket(kind);
  socket.on('message', (bytes, from) => {
    const query = decode(bytes);
    const [question] = query.questions ?? [];
    if (question === undefined) return;
    const records = spec.names[question.name.toLowerCase()];
    const found = records?.[question.type as 'A' | 'AAAA'] ?? [];
    if (found === 'timeout') return;
    const answers = found === 'SERVFAIL' ? [] : found;
    socket.send(
      encode({
        type: 'response',
        id: query.id ?? 0,
        flags: found === 'SERVFAIL' ? 2 : records === undefined ? 3 : 0,
        questions: [question],
        answers: answers.map((data) => ({ type: question.type as 'A', name: question.name, ttl: 1, data })),
      }),
      from.port,
      from.address,
    );
  });
  // A host without IPv6 has no ::1 to serve on.
  socket.on('error', () => socket.close());
  socket.bind(53, host);
}
for (const { host, port, ipv6Only = false, says = '' } of spec.listeners) {
  const server = createServer((socket) => socket.on('error', () => undefined).end(says));
  server.listen({ host, port, ipv6Only });
  await once(server, 'listening');
}
process.stdout.write('ready\n');
