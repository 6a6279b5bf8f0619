import { createSocket } from 'node:dgram';
import { errnoOf } from '../base/error.ts';
import { familyOf } from './endpoint/host.ts';

/** Which way the kernel would go. */
export type SourceAddress = { source: string; errno: null } | { source: null; errno: string };

/** Any port will do: a connected UDP socket sends nothing. Discard (RFC 863), should one ever be sent by mistake. */
const PORT = 9;

/** The source address that the kernel would choose toward a literal, or the system's code where it has no way. Sends no packet. */
export function sourceToward(address: string): Promise<SourceAddress> {
  return new Promise((resolve) => {
    const socket = createSocket(familyOf(address) === 6 ? 'udp6' : 'udp4');
    const done = (answer: SourceAddress) => {
      socket.close();
      resolve(answer);
    };
    socket.once('error', (error) => done({ source: null, errno: errnoOf(error) ?? 'EFAULT' }));
    socket.connect(PORT, address, (error?: Error) => {
      if (error !== undefined && error !== null) done({ source: null, errno: errnoOf(error) ?? 'EFAULT' });
      else done({ source: socket.address().address, errno: null });
    });
  });
}
