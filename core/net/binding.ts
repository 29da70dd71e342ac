/** The kind of binding between a login and its TLS connection, the only one: RFC 5929, section 4. */
export const bindingName = "tls-server-end-point";
