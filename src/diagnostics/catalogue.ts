import type { Check, Topic } from './check.ts';
import { hst02 } from './checks/host/addresses.ts';
import { hst06 } from './checks/host/bindv6only.ts';
import { hst03 } from './checks/host/default-route.ts';
import { hst12 } from './checks/host/family-order.ts';
import { hst10 } from './checks/host/inside.ts';
import { hst08 } from './checks/host/ipv4.ts';
import { hst01 } from './checks/host/kernel.ts';
import { hst11 } from './checks/host/mtu.ts';
import { hst09 } from './checks/host/nat64.ts';
import { hst07 } from './checks/host/nonlocal-bind.ts';
import { hst04 } from './checks/host/source-addresses.ts';
import { hst05 } from './checks/host/switches.ts';
import { lim01 } from './checks/limits/files.ts';
import { lim04 } from './checks/limits/flow-time.ts';
import { lim03 } from './checks/limits/flows.ts';
import { lim05 } from './checks/limits/kernel.ts';
import { lim06 } from './checks/limits/room.ts';
import { lim07 } from './checks/limits/node-options.ts';
import { lim02 } from './checks/limits/ports.ts';
import { lsn11 } from './checks/listeners/accept-queue.ts';
import { lsn10 } from './checks/listeners/exposure.ts';
import { lsn02 } from './checks/listeners/families.ts';
import { lsn04 } from './checks/listeners/free-port.ts';
import { lsn09 } from './checks/listeners/localhost.ts';
import { lsn05 } from './checks/listeners/low-port.ts';
import { lsn07 } from './checks/listeners/one-program.ts';
import { lsn08 } from './checks/listeners/other-hosts.ts';
import { lsn06 } from './checks/listeners/own-address.ts';
import { lsn01 } from './checks/listeners/presence.ts';
import { lsn03 } from './checks/listeners/v6-only.ts';
import { dns05 } from './checks/names/a-only-clients.ts';
import { dns03 } from './checks/names/aaaa-answers.ts';
import { dns06 } from './checks/names/aaaa-content.ts';
import { dns01 } from './checks/names/answers.ts';
import { dns12 } from './checks/names/cut-answers.ts';
import { dns16 } from './checks/names/family-order.ts';
import { dns07 } from './checks/names/hosts-file.ts';
import { dns11 } from './checks/names/latency.ts';
import { dns02 } from './checks/names/lookup.ts';
import { dns04 } from './checks/names/missing-aaaa.ts';
import { dns10 } from './checks/names/nsswitch.ts';
import { dns08 } from './checks/names/own-name.ts';
import { dns13 } from './checks/names/resolv-conf.ts';
import { dns09 } from './checks/names/search-list.ts';
import { dns14 } from './checks/names/reverse.ts';
import { dns15 } from './checks/names/split-horizon.ts';
import { pth02 } from './checks/paths/both-families.ts';
import { pth03 } from './checks/paths/clients.ts';
import { pth01 } from './checks/paths/connections.ts';
import { pth04 } from './checks/paths/obstacle.ts';
import { pth07 } from './checks/paths/idle.ts';
import { pth06 } from './checks/paths/large-packets.ts';
import { pth05 } from './checks/paths/slow-handshakes.ts';
import { pth09 } from './checks/paths/hairpin.ts';
import { pth12 } from './checks/paths/echo.ts';
import { pth11 } from './checks/paths/last-hop.ts';
import { pth10 } from './checks/paths/losses.ts';
import { pth13 } from './checks/paths/translated.ts';
import { pth08 } from './checks/paths/zone.ts';
import { pro09 } from './checks/peers/heartbeat.ts';
import { pro01 } from './checks/peers/identity.ts';
import { pro03 } from './checks/peers/silence.ts';
import { pro05 } from './checks/peers/worker-key.ts';
import { run01 } from './checks/programs/running.ts';
import { dsk01 } from './checks/programs/disks.ts';
import { sto01 } from './checks/programs/store.ts';
import { src02 } from './checks/source/answer.ts';
import { src01 } from './checks/source/families.ts';
import { src03 } from './checks/source/each-family.ts';
import { src04 } from './checks/source/host-key.ts';
import { src05 } from './checks/source/both-ends.ts';
import { src07 } from './checks/source/parts.ts';
import { src06 } from './checks/source/url-form.ts';
import { svc02 } from './checks/service/families.ts';
import { svc06 } from './checks/service/network.ts';
import { svc07 } from './checks/service/packet-filter.ts';
import { svc04 } from './checks/service/socket-unit.ts';
import { svc03 } from './checks/service/start.ts';
import { svc01 } from './checks/service/state.ts';
import { svc05 } from './checks/service/user.ts';
import { ntf01 } from './checks/mail/greeting.ts';
import { ntf04 } from './checks/mail/literal.ts';
import { ntf03 } from './checks/mail/login.ts';
import { ntf02 } from './checks/mail/tls.ts';
import { ntf06 } from './checks/mail/sender-name.ts';
import { ntf05 } from './checks/mail/twisted.ts';
import { ntf10 } from './checks/mail/chat.ts';
import { ntf09 } from './checks/mail/public-url.ts';
import { ntf07 } from './checks/mail/web-service.ts';
import { cfg03 } from './checks/settings/bind-name.ts';
import { stk01, stk02, stk03, stk04, stk05, stk06, stk15 } from './checks/stock/endpoints.ts';
import { stk07 } from './checks/stock/ipv4-alone.ts';
import { stk13, stk14 } from './checks/stock/master-settings.ts';
import { stk17 } from './checks/stock/run.ts';
import { stk16 } from './checks/stock/workers.ts';
import { stk08 } from './checks/stock/worker-host.ts';
import { stk09, stk10, stk11, stk12 } from './checks/stock/worker-settings.ts';
import { cfg05 } from './checks/settings/families.ts';
import { cfg04 } from './checks/settings/public-url.ts';
import { cfg07 } from './checks/settings/zone.ts';
import { cfg02 } from './checks/settings/brackets.ts';
import { cfg01 } from './checks/settings/readable.ts';
import { clk02 } from './checks/clock/kept.ts';
import { clk03 } from './checks/clock/moves.ts';
import { clk01 } from './checks/clock/skew.ts';
import { prx03 } from './checks/proxy/by-family.ts';
import { prx08 } from './checks/proxy/answers-for-all.ts';
import { prx07 } from './checks/proxy/one-family.ts';
import { prx06 } from './checks/proxy/dead-tunnel.ts';
import { prx02 } from './checks/proxy/http-connect.ts';
import { prx01 } from './checks/proxy/settings.ts';
import { prx04 } from './checks/proxy/stock-literal.ts';
import { prx05 } from './checks/proxy/socks5.ts';
import { pro02 } from './checks/peers/stock-master.ts';
import { pro04 } from './checks/peers/version.ts';
import { pro06 } from './checks/peers/twin.ts';
import { pro08 } from './checks/peers/web-health.ts';
import { pro07 } from './checks/peers/web-socket.ts';
import { tls02 } from './checks/tls/chain.ts';
import { tls07 } from './checks/tls/client-certificate.ts';
import { tls04 } from './checks/tls/dates.ts';
import { tls09 } from './checks/tls/files.ts';
import { tls01 } from './checks/tls/handshake.ts';
import { tls03 } from './checks/tls/names.ts';
import { tls06 } from './checks/tls/plain.ts';
import { tls05 } from './checks/tls/same.ts';
import { tls11 } from './checks/tls/stock-literal.ts';
import { tls10 } from './checks/tls/interception.ts';
import { tls08 } from './checks/tls/versions.ts';

/**
 * Every check, in the order of the report; ids are never used again (docs/doctor.md). Each takes subjects of its own kind (`about`), and
 * the runner gives it no others: that is why their types may be forgotten here.
 */
export const catalogue = [
  cfg01,
  cfg02,
  cfg03,
  cfg04,
  cfg05,
  cfg07,
  stk01,
  stk02,
  stk03,
  stk04,
  stk05,
  stk06,
  stk07,
  stk08,
  stk09,
  stk10,
  stk11,
  stk12,
  stk13,
  stk14,
  stk15,
  stk16,
  stk17,
  run01,
  dsk01,
  sto01,
  hst01,
  hst02,
  hst03,
  hst04,
  hst05,
  hst06,
  hst07,
  hst08,
  hst09,
  hst10,
  hst11,
  hst12,
  lsn01,
  lsn02,
  lsn03,
  lsn04,
  lsn05,
  lsn06,
  lsn07,
  lsn08,
  lsn09,
  lsn10,
  lsn11,
  dns01,
  dns02,
  dns03,
  dns04,
  dns05,
  dns06,
  dns07,
  dns08,
  dns09,
  dns10,
  dns11,
  dns12,
  dns13,
  dns14,
  dns15,
  dns16,
  pth01,
  pth02,
  pth03,
  pth04,
  pth05,
  pth06,
  pth07,
  pth08,
  pth09,
  pth10,
  pth11,
  pth12,
  pth13,
  prx01,
  prx02,
  prx03,
  prx04,
  prx05,
  prx06,
  prx07,
  prx08,
  tls01,
  tls02,
  tls03,
  tls04,
  tls05,
  tls06,
  tls07,
  tls08,
  tls09,
  tls10,
  tls11,
  pro01,
  pro02,
  pro03,
  pro04,
  pro05,
  pro06,
  pro07,
  pro08,
  pro09,
  lim01,
  lim02,
  lim03,
  lim04,
  lim05,
  lim06,
  lim07,
  svc01,
  svc02,
  svc03,
  svc04,
  svc05,
  svc06,
  svc07,
  src01,
  src02,
  src03,
  src04,
  src05,
  src06,
  src07,
  ntf01,
  ntf02,
  ntf03,
  ntf04,
  ntf05,
  ntf06,
  ntf07,
  ntf09,
  ntf10,
  clk01,
  clk02,
  clk03,
] as readonly unknown[] as readonly Check[];

export interface Selection {
  readonly topic: Topic | undefined;
  /** Ids (`DNS-03`) or groups (`DNS`); empty: all. */
  readonly only: readonly string[];
  readonly skip: readonly string[];
}

/** The checks that a call asks for. */
export function selectChecks(selection: Selection): Check[] {
  const { topic, only, skip } = selection;
  return catalogue.filter(
    (check) =>
      (topic === undefined || check.topics.includes(topic)) &&
      (only.length === 0 || only.some((word) => names(word, check.id))) &&
      !skip.some((word) => names(word, check.id)),
  );
}

/** Words that name no check of the catalogue. */
export function strangers(words: readonly string[]): string[] {
  return words.filter((word) => !catalogue.some((check) => names(word, check.id)));
}

function names(word: string, id: string): boolean {
  const upper = word.toUpperCase();
  return id === upper || id.startsWith(`${upper}-`);
}
