import type { VantageConfig } from '../config/section-vantage.ts';

/** What a section `vantage` asks for, in one line. */
export function vantageText(vantage: VantageConfig): string {
  const { name } = vantage;
  if (vantage.engine === 'peers') {
    const { peers, minPeersAgree } = vantage;
    const names = peers.map((peer) => `${peer.name} (${peer.url})`).join(', ');
    const rule = minPeersAgree === 0 ? 'its own view is believed' : `${minPeersAgree} of them must see a change, too`;
    return `vantage ${name} with peers ${names}: ${rule}`;
  }
  const { members, endpoints, quorum } = vantage;
  const majority = Math.floor(members.length / 2) + 1;
  const down = typeof quorum === 'number' ? quorum : { majority, any: 1, all: members.length }[quorum];
  const rule = `an edge is down when ${down} say so and up when ${members.length - down + 1} do`;
  return `vantage ${name} of ${members.join(', ')} by etcd at ${endpoints.join(', ')}: ${rule}; with fewer than ${majority} views nothing changes`;
}
