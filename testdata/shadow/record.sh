#!/usr/bin/env bash
# Records sip.pcap and decisions.log anew: Kamailio before four bridges of SIPp on the loopback interface.
# Needs root and apt-get install kamailio sip-tester tcpdump.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

work=$(mktemp -d)
pids=()
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}
trap finish EXIT

# What passes between Kamailio and the bridges, packet by packet.
tcpdump -i lo --immediate-mode -U -w "$work/sip.pcap" 'udp and portrange 7101-7104' 2>"$work/tcpdump" &
pids+=($!)
until grep -qs listening "$work/tcpdump"; do sleep 0.1; done

for port in 7101 7102 7103; do
    sipp -sf sipp/bridge.xml -i 127.0.0.1 -p "$port" -nostdin >/dev/null 2>&1 &
    pids+=($!)
done
sipp -sf sipp/refuses.xml -i 127.0.0.1 -p 7104 -nostdin >/dev/null 2>&1 &
pids+=($!)
kamailio -f kamailio.cfg -A SOCKET=udp:127.0.0.1:5066 -A "LIST=\"$PWD/dispatcher.list\"" -w "$work" -DD -E -m 32 -M 4 2>"$work/log" &
pids+=($!)
sleep 1

# 2.5 calls a second of 3 s on average.
sipp -sf sipp/caller.xml -i 127.0.0.1 -p 5077 -m 36 -r 5 -rp 2000 -cid_str '%u-%p@callers.example' \
    -nostdin 127.0.0.1:5066 >/dev/null 2>&1 || true

grep -o 'callsteer op=.*' "$work/log" >decisions.log
cp "$work/sip.pcap" sip.pcap
wc -c sip.pcap decisions.log
