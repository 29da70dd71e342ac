/** The lists of connections, of bans, and of the audit trail. */
import { formatSize } from "../../../size.ts";
import type { AuditPage } from "../../../session/audit.ts";
import type { AuditRecord } from "../../../storage/audit/audit.ts";
import type { Ban } from "../../../storage/logins.ts";
import type { ListedConnection } from "../../../watch/roster.ts";
import { ButtonForm } from "./form.tsx";
import { counted } from "../../../counted.ts";
import { Icon, Time } from "./layout.tsx";
import type { UserView } from "./view.ts";

interface ConnectionsProps {
  readonly sessions: readonly ListedConnection[];
  /** The number of connections, which may be more than `sessions` has. */
  readonly open: number;
  /** The name of the node whose connections these are; undefined on one machine. */
  readonly node: string | undefined;
}

export function Connections({ sessions, open, node }: ConnectionsProps) {
  const busy = sessions.filter(({ verb }) => verb !== null && verb !== "status");
  const transfers = busy.filter(({ verb }) => verb === "put" || verb === "get");
  return (
    <div class="stack" id="connections" data-live>
      <h1 class="sr">Connections</h1>
      <section class="card stack">
        <h2>{counted(transfers.length, "transfer")}{node && ` at node ${node}`}</h2>
        {transfers.length === 0
          ? <p class="soft">No file is being transferred.</p>
          : (
            <ul class="plain">
              {transfers.map(({ verb, path, account, door, bytes, address }) => (
                <li>
                  <Icon name={verb === "put" ? "upload" : "download"} />
                  <div class="grow">
                    <div class="mono">{path ?? ""}</div>
                    <small>
                      {account ?? "not logged in"}, {door}, {address}
                    </small>
                  </div>
                  <span class="num">{formatSize(bytes)}</span>
                </li>
              ))}
            </ul>
          )}
      </section>
      <section class="card stack">
        <h2>{counted(open, "connection")}{node && ` at node ${node}`}</h2>
        <ul class="plain">
          {sessions.map(({ account, door, address, since, verb }) => (
            <li>
              <div class="grow">
                <div>
                  {account ?? <span class="soft">not logged in</span>}{" "}
                  <span class="tag">{door}</span>
                </div>
                <small>
                  {address}. Since: <Time at={since} />
                </small>
              </div>
              <span class="soft">{verb ?? "idle"}</span>
            </li>
          ))}
        </ul>
        {sessions.length < open && <p class="soft">Only {sessions.length} of them are shown.</p>}
      </section>
    </div>
  );
}

export function Bans({ view, bans }: { view: UserView; bans: readonly Ban[] }) {
  return (
    <div class="stack" id="bans" data-live>
      <h1 class="sr">Bans</h1>
      {bans.length === 0
        ? (
          <div class="list empty">
            <Icon name="check" />
            <h2>Nobody is banned</h2>
            <p>
              {view.store.settings.banAfter === 0
                ? "Bans are disabled on this server."
                : "Too many failed logins lead to a ban, which expires by itself."}
            </p>
          </div>
        )
        : (
          <section class="card stack">
            <h2>{counted(bans.length, "ban")}</h2>
            <ul class="plain">
              {bans.map((ban) => <BanItem view={view} ban={ban} />)}
            </ul>
          </section>
        )}
    </div>
  );
}

function BanItem({ view, ban }: { view: UserView; ban: Ban }) {
  const { account, address, since, until, times } = ban;
  const subjectText = account === null
    ? "Everybody"
    : account.startsWith("?")
    ? `An unknown name, or a link’s password (${account})`
    : account;
  const subject = account ?? address ?? "";
  return (
    <li>
      <div class="grow">
        <div>{subjectText} at {address ?? "all new addresses"}</div>
        <small>
          Until: <Time at={until} />. Began: <Time at={since} />
          {times > 1 && `. Number ${times} in a row`}
        </small>
      </div>
      <ButtonForm
        view={view}
        action="/admin/bans/lift"
        label="Lift"
        fullLabel={`Lift the ban of ${subject}`}
        field={["subject", subject]}
        data-act
      />
    </li>
  );
}

/** @param account the account whose records these are; empty for all */
export function AuditTrail({ records, next, account }: AuditPage & { readonly account: string }) {
  const older = new URLSearchParams({ ...(account && { account }), before: `${next}` });
  return (
    <div class="stack" id="audit">
      <h1 class="sr">Audit</h1>
      <form class="row" action="/admin/audit" role="search">
        <label for="account">Account</label>
        <input id="account" name="account" value={account} maxlength={64} autocapitalize="none" />
        <button type="submit" class="b">Show</button>
      </form>
      <section class="card stack">
        {records.length === 0 && <p class="soft">There are no records.</p>}
        <ul class="plain">
          {records.map((record) => <AuditItem record={record} />)}
        </ul>
        {next !== null && <a href={`/admin/audit?${older}`}>Older</a>}
      </section>
    </div>
  );
}

function AuditItem({ record }: { record: AuditRecord }) {
  const { at, count: times, event, account, by, details } = record;
  const facts = Object.entries(details).map(([name, fact]) => `${name}: ${JSON.stringify(fact)}`);
  return (
    <li>
      <div class="grow">
        <div>
          <span class="tag">{event}</span> {account ?? ""}
          {by.account !== null && by.account !== account && ` by ${by.account}`}
          {by.account === null && by.door === null && " by the operator"}
          {times > 1 && `, ${times} times`}
        </div>
        <small>
          <Time at={at} />
          {by.address !== null && `, ${by.address}`}
          {by.door !== null && `, ${by.door}`}
          {facts.length > 0 && `. ${facts.join(", ")}`}
        </small>
      </div>
    </li>
  );
}
