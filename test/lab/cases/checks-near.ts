import type { LabCase } from './case.ts';
import { filter } from './paths.ts';

/** One fault for each check of what stands around the programs: packet filter, limits, clock, configuration. */
export const CHECKS_NEAR: readonly LabCase[] = [
  {
    id: 'X120',
    title: "a port to listen on, to which this host's own firewall lets nobody",
    recipe: {
      setup: {
        W: [
          'nft add table inet own',
          "nft 'add chain inet own input { type filter hook input priority 0; policy drop; }'",
          "nft 'add rule inet own input ct state established,related accept'",
          "nft 'add rule inet own input iifname lo accept'",
          "nft 'add rule inet own input tcp dport { 22, 8010 } accept'",
        ],
      },
      programs: ['nft'],
    },
    doctor: ['listen', '[::]:9989'],
    root: ['SVC-07'],
  },
  {
    id: 'X121',
    title: 'a firewall that lets in what it should (a control)',
    recipe: {
      setup: {
        W: [
          ...filter('input', 'ct state established,related accept'),
          "nft 'add chain inet fault here { policy drop; }'",
          "nft 'add rule inet fault here iif lo accept'",
          "nft 'add rule inet fault here meta l4proto ipv6-icmp accept'",
          "nft 'add rule inet fault here tcp dport { 22, 9900-9999 } accept'",
        ],
      },
      programs: ['nft'],
    },
    doctor: ['listen', '[::]:9989'],
    root: [],
  },
];
