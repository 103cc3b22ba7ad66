//! UDP datagrams of a capture: pcap and pcapng; Ethernet with VLANs, Linux cooked 1 and 2, loopback, raw
//! IP; fragments of IP are put together.

use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use callsteer::Time;
use etherparse::defrag::IpDefragPool;
use etherparse::{EtherType, IpNumber, NetSlice, SlicedPacket, TransportSlice, UdpSlice};
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, PcapHeader, create_reader};

use super::ShadowError;

/// A datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// When it was captured, since 1970.
    pub at: Time,
    /// Its packet, or the last one of its fragments; from 1.
    pub packet: usize,
    /// Where it comes from.
    pub source: SocketAddr,
    /// Where it goes.
    pub destination: SocketAddr,
    /// What it carries.
    pub payload: &'a [u8],
}

/// What of a capture is no datagram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// Packets in all.
    pub packets: usize,
    /// Packets that are cut, or none; and the first of them.
    pub unreadable: usize,
    /// The number of the first one.
    pub first_unreadable: Option<usize>,
    /// Packets of TCP to or from a port of SIP, 5060 or 5061.
    pub tcp: usize,
}

/// Hands out every datagram, in the order of the file.
///
/// # Errors
/// The file cannot be read, is no capture, ends within a packet, or is of an unknown link layer; or `each` says so.
pub fn datagrams(
    path: &Path,
    mut each: impl FnMut(Datagram<'_>) -> Result<(), ShadowError>,
) -> Result<Rest, ShadowError> {
    let name = path.display().to_string();
    let refuse = |message: String| ShadowError { place: name.clone(), message };
    let file = File::open(path).map_err(|error| refuse(error.to_string()))?;
    let mut reader = create_reader(BUFFER, file).map_err(|error| refuse(reason(&error)))?;
    let mut decoder = Decoder::default();
    let mut is_drained = false;
    loop {
        match reader.next() {
            Ok((size, block)) => {
                let packet =
                    decoder.packet(&block).map_err(|message| refuse(message).at(decoder.rest.packets))?;
                if let Some(packet) = packet {
                    decoder.decode(packet, &mut each)?;
                }
                drop(block);
                reader.consume(size);
                is_drained = false;
            }
            Err(PcapError::Eof) => return Ok(decoder.rest),
            Err(PcapError::Incomplete(_)) if !is_drained => {
                reader.refill().map_err(|error| refuse(reason(&error)))?;
                is_drained = reader.reader_exhausted();
            }
            Err(error) => return Err(refuse(reason(&error)).at(decoder.rest.packets + 1)),
        }
    }
}

impl ShadowError {
    fn at(self, packet: usize) -> Self {
        Self { place: format!("{}, packet {packet}", self.place), ..self }
    }
}

/// The frames of one capture.
#[derive(Default)]
struct Decoder {
    header: Option<PcapHeader>,
    interfaces: Vec<Interface>,
    fragments: IpDefragPool<(), ()>,
    rest: Rest,
}

/// An interface of pcapng.
#[derive(Clone, Copy)]
struct Interface {
    link: Linktype,
    /// Parts of a second, and seconds to add.
    resolution: u64,
    offset: i64,
}

/// A frame, and when it was captured.
struct Frame<'a> {
    at: Time,
    link: Linktype,
    bytes: &'a [u8],
}

impl Decoder {
    fn packet<'a>(&mut self, block: &'a PcapBlockOwned<'_>) -> Result<Option<Frame<'a>>, String> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => self.header = Some(header.clone()),
            PcapBlockOwned::Legacy(packet) => {
                self.rest.packets += 1;
                let header = self.header.as_ref().ok_or("a packet before the header")?;
                let parts = if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 };
                let at = time(packet.ts_sec.into(), packet.ts_usec.into(), parts);
                return Ok(Some(Frame { at, link: header.network, bytes: packet.data }));
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => self.interfaces.clear(),
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                // Parts of a second: a power of 2 where the first bit is set, otherwise of 10.
                let base: u64 = if interface.if_tsresol & 0x80 == 0 { 10 } else { 2 };
                let resolution = base.checked_pow((interface.if_tsresol & 0x7f).into());
                let resolution = resolution.ok_or("a time resolution that is none")?;
                let (link, offset) = (interface.linktype, interface.if_tsoffset);
                self.interfaces.push(Interface { link, resolution, offset });
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                self.rest.packets += 1;
                let interface =
                    self.interfaces.get(packet.if_id as usize).ok_or("a packet of no interface")?;
                let ticks = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let seconds = (ticks / interface.resolution).saturating_add_signed(interface.offset);
                let at = time(seconds, ticks % interface.resolution, interface.resolution);
                let bytes = packet.data.get(..packet.caplen as usize).unwrap_or(packet.data);
                return Ok(Some(Frame { at, link: interface.link, bytes }));
            }
            PcapBlockOwned::NG(Block::SimplePacket(_)) => {
                self.rest.packets += 1;
                return Err("a packet without a time (a simple packet block)".into());
            }
            PcapBlockOwned::NG(_) => {}
        }
        Ok(None)
    }

    fn decode(
        &mut self,
        frame: Frame<'_>,
        each: &mut impl FnMut(Datagram<'_>) -> Result<(), ShadowError>,
    ) -> Result<(), ShadowError> {
        let Some(sliced) = sliced(&frame) else {
            self.unreadable();
            return Ok(());
        };
        let Some((source, destination)) = addresses(&sliced) else { return Ok(()) };
        let (at, packet) = (frame.at, self.rest.packets);
        let datagram = |udp: &UdpSlice<'_>| {
            let source = SocketAddr::new(source, udp.source_port());
            let destination = SocketAddr::new(destination, udp.destination_port());
            (source, destination)
        };
        if let Some(TransportSlice::Udp(udp)) = &sliced.transport {
            let (source, destination) = datagram(udp);
            return each(Datagram { at, packet, source, destination, payload: udp.payload() });
        }
        if let Some(TransportSlice::Tcp(tcp)) = &sliced.transport {
            let is_sip = |port| matches!(port, 5060 | 5061);
            self.rest.tcp += usize::from(is_sip(tcp.source_port()) || is_sip(tcp.destination_port()));
        }
        if !sliced.is_ip_payload_fragmented() {
            return Ok(());
        }
        match self.fragments.process_sliced_packet(&sliced, (), ()) {
            Ok(Some(whole)) if whole.ip_number == IpNumber::UDP => {
                if let Ok(udp) = UdpSlice::from_slice(&whole.payload) {
                    let (source, destination) = datagram(&udp);
                    each(Datagram { at, packet, source, destination, payload: udp.payload() })?;
                }
            }
            Ok(_) => {}
            Err(_) => self.unreadable(),
        }
        Ok(())
    }

    fn unreadable(&mut self) {
        self.rest.unreadable += 1;
        self.rest.first_unreadable.get_or_insert(self.rest.packets);
    }
}

/// The headers of a frame; `None` where it is cut or none.
fn sliced<'a>(frame: &Frame<'a>) -> Option<SlicedPacket<'a>> {
    let bytes = frame.bytes;
    match frame.link {
        Linktype::ETHERNET => SlicedPacket::from_ethernet(bytes).ok(),
        Linktype::LINUX_SLL => SlicedPacket::from_linux_sll(bytes).ok(),
        // The protocol, then 18 bytes about the interface.
        LINUX_SLL2 => {
            let protocol = u16::from_be_bytes(bytes.get(..2)?.try_into().ok()?);
            SlicedPacket::from_ether_type(EtherType(protocol), bytes.get(20..)?).ok()
        }
        // A family of addresses, which IP says again.
        Linktype::NULL | Linktype::LOOP => SlicedPacket::from_ip(bytes.get(4..)?).ok(),
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | RAW_OF_BSD => SlicedPacket::from_ip(bytes).ok(),
        _ => None,
    }
}

fn addresses(sliced: &SlicedPacket<'_>) -> Option<(IpAddr, IpAddr)> {
    match sliced.net.as_ref()? {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        NetSlice::Arp(_) => None,
    }
}

fn time(seconds: u64, part: u64, parts: u64) -> Time {
    let micros = (u128::from(part) * 1_000_000 / u128::from(parts.max(1))) as u64;
    Time::from_micros(seconds.saturating_mul(1_000_000).saturating_add(micros))
}

fn reason<I: std::fmt::Debug>(error: &PcapError<I>) -> String {
    match error {
        PcapError::HeaderNotRecognized | PcapError::Eof => "is neither pcap nor pcapng".into(),
        PcapError::Incomplete(_) | PcapError::UnexpectedEof => "the file ends within it".into(),
        PcapError::BufferTooSmall => format!("is longer than {BUFFER} bytes"),
        PcapError::ReadError => "cannot be read".into(),
        PcapError::NomError(..) | PcapError::OwnedNomError(..) => "is not as a capture is".into(),
    }
}

const LINUX_SLL2: Linktype = Linktype(276);
/// What BSD writes in place of 101.
const RAW_OF_BSD: Linktype = Linktype(12);
/// More than any packet has.
const BUFFER: usize = 1 << 20;
