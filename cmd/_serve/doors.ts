/** The options of `serve` as the server's doors take them, and the rules between options. */
import type { AcmeOptions } from "../../core/serve/acme.ts";
import type { DoorOptions } from "../../core/serve/door_specs.ts";
import type { Address } from "../../core/net/address.ts";
import type { FtpSpec } from "../../core/door/door.ts";
import { acmeOf, type AcmeValues } from "./acme.ts";

/** The values of the options that decide about doors. */
interface DoorValues
  extends Omit<DoorOptions, "doors" | "ftp" | "trustedProxies" | "acme">, AcmeValues {
  readonly native: Address | null;
  readonly http: Address | null;
  readonly ftp: Address | null;
  readonly ftps: Address | null;
  readonly sftp: Address | null;
  readonly ftpPassivePorts: FtpSpec["passive"];
  readonly ftpPublicAddress?: string;
  readonly ftpSessionReuse: FtpSpec["sessionReuse"];
  readonly ftpActive: "on" | "off";
  readonly ftpActiveLoopback: boolean;
  readonly trustedProxy: readonly (readonly string[])[];
}

/** Returns the options of the doors. */
export function doorOptions(
  values: DoorValues,
): DoorOptions & { readonly acme: AcmeOptions | undefined } {
  const { native, http, ftp, ftps, sftp, metrics, proxyProtocol, publicUrl } = values;
  const { tls, plaintext, tlsCert, tlsKey } = values;
  return {
    doors: { native, http, ftp, ftps, sftp },
    ftp: {
      passive: values.ftpPassivePorts,
      publicAddress: values.ftpPublicAddress,
      sessionReuse: values.ftpSessionReuse,
      active: values.ftpActive === "on",
      activeLoopback: values.ftpActiveLoopback,
    },
    trustedProxies: values.trustedProxy.flat(),
    acme: acmeOf(values),
    ...{ metrics, proxyProtocol, publicUrl, tls, plaintext, tlsCert, tlsKey },
  };
}
