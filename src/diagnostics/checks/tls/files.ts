import { defineCheck, found, nothing, skip, type Draft } from '../../check.ts';
import { evidence, pasted } from '../../evidence.ts';
import type { KeyFilesFacts } from '../../facts/tls.ts';

export const tls09 = defineCheck<'program', KeyFilesFacts | undefined>({
  id: 'TLS-09',
  title: "the farm's key and certificate",
  about: 'program',
  topics: ['tls', 'config', 'host'],
  needs: [],
  gather: (context, program) =>
    program.role === 'master' && program.parts.length > 0 ? context.probes.keyFiles(program) : undefined,
  judge(facts, program) {
    if (facts === undefined) return skip("only a master's directory has them");
    const drafts = facts.files.flatMap((file) => judgeFile(file, facts.at) ?? []);
    const [key, certificate] = facts.files;
    if (drafts.length === 0 && key?.pin != null && certificate?.pin != null && key.pin !== certificate.pin) {
      drafts.push({
        status: 'error',
        title: `The certificate of ${program.shown} is not for its key`,
        evidence: [key, certificate].map((file) => evidence('file', file.shown, file.pin ?? '', facts.at)),
        fix: [{ text: 'Put both back from one backup; workers know the farm by this key' }],
      });
    }
    return drafts.length === 0 ? nothing : found(...drafts);
  },
});

function judgeFile(file: KeyFilesFacts['files'][number], at: string): Draft | undefined {
  if (file.errno === 'ENOENT') return undefined;
  if (file.errno !== null) {
    return {
      status: 'unknown',
      title: `Whether ${file.shown} is as it should be is not known: this user may not read it`,
      evidence: [evidence('file', file.shown, file.errno, at)],
      fix: [{ text: 'Ask as the user that the master runs as' }],
    };
  }
  if (file.problem !== null) {
    return {
      status: 'error',
      title: `${file.shown} cannot be used: ${file.problem}`,
      evidence: [evidence('file', file.shown, file.problem, at)],
      fix: [
        {
          text: 'Put it back from a backup: workers know the farm by this key',
          commands: ['bbx restore FILE'],
        },
      ],
    };
  }
  if (file.what === 'key' && file.mode !== null && (file.mode & 0o077) !== 0) {
    return {
      status: 'warn',
      title: `${file.shown} can be read by other users of this host`,
      evidence: [evidence('file', file.shown, `mode ${file.mode.toString(8).padStart(4, '0')}`, at)],
      fix: [
        {
          text: 'Take the permission away',
          commands: [`chmod 600 ${pasted(file.path)}`],
          change: { file: file.path, shown: file.shown, mode: 0o600 },
        },
      ],
    };
  }
  return undefined;
}
