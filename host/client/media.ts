/** Media types of what goes to a verifier and comes from it. */
export const Media = {
  JSON: "application/json",
  NDJSON: "application/x-ndjson",
  /** RFC 9782 section 4. */
  EAT: "application/eat+cwt",
  /** RFC 8392 section 9.2. */
  CWT: "application/cwt",
  /** RFC 9052 section 11.3. */
  COSE: "application/cose",
  LICENSE_REQUEST: "application/vnd.quiesce.license-request+cbor",
  REPORTS: "application/vnd.quiesce.reports+cbor",
  /** Of UTF-8. */
  TEXT: "text/plain",
  /** Tiles (C2SP tlog-tiles). */
  OCTETS: "application/octet-stream",
  OPENING: "application/vnd.quiesce.opening+cbor",
  LOG_PROOF: "application/vnd.quiesce.log-proof+cbor",
  /** WHATWG HTML, section 9.2. */
  EVENTS: "text/event-stream",
} as const;
