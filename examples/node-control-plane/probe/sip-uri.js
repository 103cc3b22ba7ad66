// Where a SIP URI leads: host, port and transport (RFC 3261, 19.1; RFC 3263 without NAPTR and SRV).

const URI = /^(?<scheme>sips?):(?:[^@]*@)?(?<host>\[[0-9a-f:.]+\]|[^:;?[\]@]+)(?::(?<port>\d{1,5}))?(?<parameters>;[^?]*)?(?:\?.*)?$/i;
const PORTS = { udp: 5060, tcp: 5060, tls: 5061 };

/** Throws where no probe can be sent there, and says why. */
export function target(uri) {
  const groups = URI.exec(uri)?.groups;
  if (!groups) {
    throw new Error(`${uri} is not a SIP URI`);
  }
  const parameter = (name) => new RegExp(`;${name}=([^;]*)`, 'i').exec(groups.parameters ?? '')?.[1];
  const isSecure = groups.scheme.toLowerCase() === 'sips';
  const named = parameter('transport')?.toLowerCase() ?? (isSecure ? 'tls' : 'udp');
  const transport = isSecure && named === 'tcp' ? 'tls' : named;
  if (!Object.hasOwn(PORTS, transport)) {
    throw new Error(`${uri} has the transport ${transport}; known are ${Object.keys(PORTS).join(', ')}`);
  }
  const port = Number(groups.port ?? PORTS[transport]);
  if (port < 1 || port > 65_535) {
    throw new Error(`${uri} has the port ${port}`);
  }
  return { transport, host: (parameter('maddr') ?? groups.host).replace(/^\[|\]$/g, ''), port };
}

/** As a Request-URI, which has no headers and no method (RFC 3261, 19.1.1). */
export const requestUri = (uri) => uri.replace(/\?.*$/, '').replace(/;method=[^;]*/i, '');
