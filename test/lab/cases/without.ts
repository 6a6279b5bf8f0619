/** Checks without a case, and why; what they find is tested in test/unit/diagnostics. */
export const WITHOUT_CASE: Readonly<Record<string, string>> = {
  'DNS-02': 'DNS-01, DNS-10 or DNS-13 say why a lookup fails; it is their effect',
  'TLS-01': 'an alert that no other check knows, or a handshake of 3 s, is made by no server of the lab',
  'PTH-07': 'the rests of --soak take minutes',
  'PRO-04': 'it needs a master of another protocol version',
  'LIM-03': 'nf_conntrack_max cannot be set in a namespace',
  'LIM-04': 'nf_conntrack_tcp_timeout_established is not in the namespace of who has no root',
  'SVC-01': 'systemd does not run in the lab',
  'SVC-02': 'systemd does not run in the lab',
  'SVC-03': 'systemd does not run in the lab',
  'SVC-04': 'systemd does not run in the lab',
  'SVC-05': 'systemd does not run in the lab',
  'NTF-03': 'only a configuration names a user for mail',
  'CLK-02': 'timedatectl needs systemd',
};
