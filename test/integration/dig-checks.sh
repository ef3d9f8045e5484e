#!/bin/sh
# Asks a running server what a user of dig would ask. Arguments: address, port, zone, the addresses that must be live.
# Prints a line for each check that fails; the exit status is the number of failures.
set -u
address=$1 port=$2 zone=$3
shift 3
want=$(printf '%s\n' "$@" | sort)
failures=0

ask() { dig "@$address" -p "$port" +tries=2 +time=3 "$@"; }
check() { # description, expected, actual
  [ "$2" = "$3" ] && return
  printf 'FAILED %s\n  expected: %s\n  got:      %s\n' "$1" "$(echo "$2" | tr '\n' ' ')" "$(echo "$3" | tr '\n' ' ')"
  failures=$((failures + 1))
}
has() { # description, pattern, text
  printf '%s\n' "$3" | grep -Eq -- "$2" && return
  printf 'FAILED %s\n  no match for: %s\n%s\n' "$1" "$2" "$3"
  failures=$((failures + 1))
}

check 'apex A over UDP' "$want" "$(ask +short "$zone" A | sort)"
check 'apex A over TCP' "$want" "$(ask +tcp +short "$zone" A | sort)"
check 'apex A without EDNS' "$want" "$(ask +noedns +short "$zone" A | sort)"
check 'rotated label' "$want" "$(ask +short "www.$zone" A | sort)"
check 'case of the question' "$want" "$(ask +short "$(echo "$zone" | tr 'a-z' 'A-Z')" A | sort)"

header=$(ask "$zone" A)
has 'authoritative' 'flags: qr aa rd;' "$header"
has 'no recursion' 'WARNING: recursion requested but not available' "$header"
has 'EDNS payload size' 'udp: 1232' "$header"

has 'SOA' ' SOA .* 43200 10800 1209600 300$' "$(ask +noall +answer "$zone" SOA | tr '\t' ' ')"
has 'NODATA' 'status: NOERROR.*' "$(ask "$zone" LOC)"
has 'NODATA has the SOA' 'SOA' "$(ask +noall +authority "$zone" LOC)"
has 'NXDOMAIN' 'status: NXDOMAIN' "$(ask "no-such-name.$zone" A)"
has 'not our zone' 'status: REFUSED' "$(ask www.not-ours.example A)"
has 'unknown opcode' 'status: NOTIMP' "$(ask +opcode=7 "$zone" A)"
has 'unknown EDNS version' 'status: BADVERS' "$(ask +edns=1 +noednsnegotiation "$zone" A)"
has 'unknown EDNS option' 'status: NOERROR' "$(ask +ednsopt=65001:abcd "$zone" A)"
has 'other class' 'status: REFUSED' "$(ask -c CH "$zone" A)"

exit "$failures"
