import { expect, it } from 'vitest';
import { readMasterFile } from '../../../../src/config/stock/master-file.ts';
import { readModule } from '../../../../src/config/stock/module.ts';
import { readSource } from '../../../../src/config/stock/source.ts';

function outgoing(words: string) {
  const text = `from buildbot.plugins import reporters\nc = BuildmasterConfig = {}\nc['services'] = [${words}]\n`;
  return readMasterFile(readModule(readSource(Buffer.from(text)))).outgoing;
}

it.each<[words: string, user: boolean, tls: 'offered' | 'starttls' | 'tls']>([
  ['', false, 'offered'],
  ['smtpUser="ci", smtpPassword="p"', true, 'offered'],
  // As MailNotifier has it: without a password nobody logs in.
  ['smtpUser="ci"', false, 'offered'],
  ['smtpUser=None, smtpPassword=None, useTls=True', false, 'starttls'],
  ['smtpUser=util.Secret("u"), smtpPassword=util.Secret("p"), useSmtps=True', true, 'tls'],
  ['useTls=False, useSmtps=False', false, 'offered'],
])('MailNotifier(%s): whether somebody logs in, and how TLS begins', (words, user, tls) => {
  expect(
    outgoing(`reporters.MailNotifier("ci@x.example", relayhost="mail.example", ${words})`),
  ).toMatchObject([{ plane: 'mail', mail: { user, tls } }]);
});

it('what is no mail has neither', () => {
  const [push] = outgoing('reporters.GitHubStatusPush(token="t")');
  expect(push).not.toHaveProperty('mail');
});
