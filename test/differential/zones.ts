import type { ZoneSpec } from '../support/zone-images.ts';
import { zoneText } from '../support/zone-images.ts';

const SOA =
  '$TTL 3600\n@ 3600 IN SOA ns1 host 7 7200 900 1209600 600\n@ 3600 IN NS ns1\n@ 3600 IN NS ns2.elsewhere.test.\n';

/** A parent and its child on the same server, with DS, and another cut inside the child. */
const PARENT = `${SOA}ns1 IN A 192.0.2.1
child IN NS ns.child
child IN NS ns1
child IN DS 1 8 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
ns.child IN A 192.0.2.11
ns.child IN AAAA 2001:db8::11
glueless IN NS ns.far.test.
deep.er IN NS ns.deep.er
ns.deep.er IN A 192.0.2.12
tochild IN CNAME www.child
tonothing IN CNAME nope.child
tocut IN CNAME x.glueless
toapex IN CNAME child
mx IN MX 10 www.child
mx IN MX 20 ns1
`;

const CHILD = `${SOA}ns1 IN A 192.0.2.2
ns IN A 192.0.2.11
ns IN AAAA 2001:db8::11
www IN A 192.0.2.80
up IN CNAME ns1.parent.test.
sub IN NS ns.sub
ns.sub IN A 192.0.2.21
`;

/** Wildcards in odd places, aliases of all kinds, nested delegations, shared targets. */
const ODD = `${SOA}ns1 IN A 192.0.2.1
ns1 IN AAAA 2001:db8::1
* IN TXT "top wildcard"
* IN MX 10 mail
mail IN A 192.0.2.25
mail IN A 192.0.2.26
mail IN AAAA 2001:db8::25
a IN MX 10 mail
a IN MX 20 MAIL2
mail2 IN CNAME mail
b IN SRV 1 2 3 mail
b IN SRV 1 3 3 .
c.d.e IN A 192.0.2.40
*.d.e IN CNAME c.d.e
f IN CNAME *.d.e
g IN CNAME x.y.z.d.e
h IN CNAME h1
h1 IN CNAME h2
h2 IN CNAME h3
h3 IN CNAME h4
h4 IN CNAME h5
h5 IN A 192.0.2.50
i IN DNAME j
x.j IN CNAME x.i
y.j IN A 192.0.2.60
*.k IN CNAME *.k.k
l IN CNAME q.wildnothing.nope
m IN NS ns.m
m IN NS ns.n
m IN NS ns1
ns.m IN A 192.0.2.70
n IN NS ns.n
n IN NS ns.m
ns.n IN A 192.0.2.71
ns.n IN AAAA 2001:db8::71
o IN CNAME host.m
p IN PTR mail
q IN HINFO "a" "b"
r IN RP mail txt.r
txt.r IN TXT "text"
s IN AFSDB 1 mail
t IN NAPTR 1 1 "s" "x" "" b
u IN SVCB 1 mail alpn=h2
v IN HTTPS 0 mail
w IN KX 1 mail
big IN A 192.0.2.100
big IN A 192.0.2.101
big IN A 192.0.2.102
big IN A 192.0.2.103
big IN A 192.0.2.104
big IN A 192.0.2.105
big IN A 192.0.2.106
big IN A 192.0.2.107
big IN A 192.0.2.108
big IN A 192.0.2.109
bigmx IN MX 1 big
bigmx IN MX 2 mail
wc.wc IN A 192.0.2.200
*.wc IN A 192.0.2.201
*.*.wc IN A 192.0.2.202
signatures 60 IN A 192.0.2.210
signatures 60 IN RRSIG A 8 3 60 20300101000000 20200101000000 1 odd.test. AAAA
signatures 900 IN TXT "x"
signatures 900 IN RRSIG TXT 8 3 900 20300101000000 20200101000000 1 odd.test. AAAA
svcb IN SVCB 1 mail
svcb IN SVCB 1 MAIL
_25._tcp.mail IN TLSA 3 1 1 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
`;

/** A zone that is redirected as a whole. */
const MOVED = `$TTL 3600
@ 3600 IN SOA ns2.elsewhere.test. host.elsewhere.test. 7 7200 900 1209600 600
@ 3600 IN NS ns2.elsewhere.test.
@ IN DNAME odd.test.
@ IN A 192.0.2.3
`;

const ROOTLIKE = `${SOA}ns1 IN A 192.0.2.1
a.root-servers IN A 192.0.2.4
`;

export const ZONES: readonly ZoneSpec[] = [
  { origin: 'example.test', text: zoneText('protocol/protocol.zone') },
  { origin: 'parent.test', text: PARENT },
  { origin: 'child.parent.test', text: CHILD },
  { origin: 'odd.test', text: ODD },
  { origin: 'moved.test', text: MOVED },
  { origin: 'net', text: ROOTLIKE },
];
