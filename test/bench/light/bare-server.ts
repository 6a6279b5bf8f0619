/** The yardstick of idle workers: TLS and `ws` and nothing else. Prints its port; ends when stdin does. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { createFarmKey, selfSignedCertificate } from '../../../src/net/tls/certificate.ts';

const key = createFarmKey();
const server = createServer({ key, cert: selfSignedCertificate(key), minVersion: 'TLSv1.3' });
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
let count = 0;
sockets.on('connection', (socket) => {
  socket.on('message', () => undefined);
  count += 1;
  process.stdout.write(`${count}\n`);
});
server.listen(0, '::1', () => process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`));
process.stdin.resume().once('end', () => process.exit());
