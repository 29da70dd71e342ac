/** The only kind of binding between a login and its TLS connection: RFC 5929, section 4. */
export const bindingName = "tls-server-end-point";
