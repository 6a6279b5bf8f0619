/** `flows.ts SHARE`: fills that share of the packet filter's table of connections, each with a packet to a port of loopback where nobody is. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

const [share = ''] = process.argv.slice(2);
const number = (name: string) => Number(readFileSync(`/proc/sys/net/netfilter/nf_conntrack_${name}`, 'utf8'));
const wanted = Math.ceil(number('max') * Number(share));
const socket = createSocket('udp4');
socket.bind(0, '127.0.0.1');
await once(socket, 'listening');
// A refusal by ICMP is what is to be expected here.
socket.on('error', () => undefined);
const PORTS = 50_000;
for (let sent = 0; number('count') < wanted;) {
  const batch = Math.min(5_000, wanted - number('count'));
  await Promise.all(
    Array.from({ length: batch }, () => {
      const [host, port] = [Math.floor(sent / PORTS) + 1, 1_024 + (sent % PORTS)];
      sent += 1;
      return new Promise((resolve) => socket.send('', port, `127.0.1.${host}`, resolve));
    }),
  );
}
socket.close();
