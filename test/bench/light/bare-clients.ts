/** Idle clients of the bare server. Usage: bare-clients.ts PORT COUNT; ends when stdin does. */
import { WebSocket } from 'ws';

const [port = '', count = '0'] = process.argv.slice(2);
/** Handshakes at once: a rush would measure the rush. */
const AT_ONCE = 20;
let started = 0;
const next = () => {
  if (started >= Number(count)) return;
  started += 1;
  const socket = new WebSocket(`wss://[::1]:${port}`, {
    rejectUnauthorized: false,
    perMessageDeflate: false,
  });
  socket.once('open', next);
};
for (let index = 0; index < AT_ONCE; index += 1) next();
process.stdin.resume().once('end', () => process.exit());
