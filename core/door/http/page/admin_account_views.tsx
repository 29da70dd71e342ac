/** Views of the pages about accounts, for admins. */
import type { BargeError } from "../../../error.ts";
import type { Account, Role } from "../../../storage/account.ts";
import { formatLimit, formatSize } from "../../../size.ts";
import { AdminShell } from "./admin_shell.tsx";
import {
  ButtonForm,
  CardForm,
  DialogForm,
  Failure,
  Field,
  NameField,
  NewPassword,
} from "./form.tsx";
import { counted } from "../../../counted.ts";
import { entriesOf } from "./format.ts";
import { Icon, Time } from "./layout.tsx";
import type { UserView } from "./view.ts";

export function AccountList(
  { view, accounts }: { view: UserView; accounts: readonly Account[] },
) {
  return (
    <AdminShell view={view} title="Accounts" tab="accounts">
      <div class="row bottom">
        <h1 class="grow">{counted(accounts.length, "account")}</h1>
        <a class="b main" href="/admin/accounts/new" data-dialog>
          <Icon name="person" />Add
        </a>
      </div>
      <ul class="cards" id="accounts" data-live>
        {accounts.map((account) => <Row account={account} />)}
      </ul>
    </AdminShell>
  );
}

function Row({ account }: { account: Account }) {
  const { name, role } = account;
  return (
    <li class="card item">
      <Icon name={role === "admin" ? "admin" : "person"} />
      <div class="grow">
        <div>
          <a href={`/admin/accounts/${name}`}>
            <strong>{name}</strong>
          </a>{" "}
          {role === "admin" && <span class="tag">admin</span>}
          {account.totp && <span class="tag">second factor</span>}
          <State account={account} />
        </div>
        <small>
          <LastLogin account={account} />
        </small>
      </div>
      <Used account={account} />
    </li>
  );
}

function State({ account: { disabled, expired } }: { account: Account }) {
  if (!disabled && !expired) return null;
  return <span class="tag bad">{disabled ? "disabled" : "expired"}</span>;
}

/** Returns a time as its day in UTC, or with its minute unless it is the start of the day. */
function dayOf(ms: number): string {
  return new Date(ms).toISOString().replace(/T00:00:00\.000Z$/, "");
}

function LastLogin({ account: { lastLogin } }: { account: Account }) {
  if (lastLogin === null) return <>Never logged in</>;
  return (
    <>
      Last login: <Time at={lastLogin} />
    </>
  );
}

function Used({ account: { name, used, reserved, limit } }: { account: Account }) {
  const taken = used + reserved;
  return (
    <div class="used">
      <span>
        <b>{formatSize(taken)}</b> {limit === null ? "used, no limit" : `of ${formatSize(limit)}`}
      </span>
      {limit !== null && (
        <meter
          min={0}
          max={Math.max(1, limit)}
          high={limit * 0.95}
          optimum={0}
          value={taken}
          aria-label={`${name} uses ${formatSize(taken)} of ${formatSize(limit)}`}
        />
      )}
    </div>
  );
}

interface Props {
  readonly view: UserView;
  readonly failed?: BargeError;
}

/** The fields of the form to add an account, as they were sent. */
export interface NewAccountFields {
  readonly name: string;
  readonly limit: string;
  readonly role: Role;
}

export function AddAccountForm(
  { view, fields, failed }: Props & { fields: NewAccountFields },
) {
  return (
    <AdminShell view={view} title="Add an account" tab="accounts">
      <DialogForm
        view={view}
        title="Add an account"
        failed={failed}
        action="/admin/accounts/new"
        cancel="/admin/accounts"
        label="Add"
      >
        <NameField value={fields.name} maxlength={64} autofocus />
        <LimitField value={fields.limit} />
        <RoleField role={fields.role} />
        <NewPassword store={view.store} />
      </DialogForm>
    </AdminShell>
  );
}

/** @param files the number of files that count against the account's quota */
export function AccountPage(
  { view, account, files, failed }: Props & { account: Account; files: number },
) {
  const url = `/admin/accounts/${account.name}`;
  return (
    <AdminShell view={view} title={account.name} tab="accounts">
      <div class="stack narrow">
        <div class="row">
          <h1 class="grow">{account.name}</h1>
          <State account={account} />
          <a class="b flat" href="/admin/accounts">All accounts</a>
        </div>
        <Failure failed={failed} />
        <section class="card stack" id="facts" data-live>
          <Used account={account} />
          <p class="soft">{entriesOf(account.entries, account.entryLimit)}</p>
          <p class="soft">
            {counted(files, "file")}. <LastLogin account={account} />. Created:{" "}
            <Time at={account.created} />
          </p>
        </section>
        <CardForm view={view} action={`${url}/limit`} title="Quota" label="Change" data-act>
          <LimitField value={formatLimit(account.limit)} />
        </CardForm>
        <CardForm view={view} action={`${url}/entries`} title="Entries" label="Change" data-act>
          <Field
            id="entries"
            label="Files, folders and partial uploads"
            hint="200000, none"
            value={account.entryLimit ?? "none"}
          />
        </CardForm>
        <CardForm view={view} action={`${url}/access`} title="Login" label="Change" data-act>
          <Field
            id="expires"
            label="Ends"
            hint="a day in UTC, none"
            value={account.expires === null ? "none" : dayOf(account.expires)}
          />
          <Field
            id="from"
            label="Logs in from"
            hint="10.0.0.0/8 192.0.2.7, none"
            value={account.from?.join(" ") ?? "none"}
          />
        </CardForm>
        {account.id === view.session.id
          ? (
            <p class="soft">
              This is your account: <a href="/account">your password and logins</a>{" "}
              have their own page.
            </p>
          )
          : <OtherAccountForms view={view} account={account} />}
      </div>
    </AdminShell>
  );
}

/** Forms for changes that an admin can make to any account but their own. */
function OtherAccountForms({ view, account }: { view: UserView; account: Account }) {
  const { name, disabled, role } = account;
  const url = `/admin/accounts/${name}`;
  return (
    <>
      <CardForm view={view} action={`${url}/role`} title="Role" label="Change" data-act>
        <RoleField role={role} />
      </CardForm>
      <CardForm view={view} action={`${url}/password`} title="Password" label="Set" data-act>
        <p class="soft">All logins and tokens of {name} end; SSH keys stay.</p>
        <NewPassword store={view.store} />
      </CardForm>
      {account.totp && (
        <section class="card row">
          <p class="soft wide">
            The account has a second factor. Without it, the password suffices.
          </p>
          <ButtonForm
            view={view}
            action={`${url}/totp`}
            label="Remove"
            fullLabel="Remove the second factor"
            class="grow"
            data-act
          />
        </section>
      )}
      <section class="card row">
        <p class="soft wide">
          {disabled
            ? "The account can't log in; its files are kept."
            : "A disabled account can't log in; its files are kept."}
        </p>
        <ButtonForm
          view={view}
          action={`${url}/disabled`}
          label={disabled ? "Enable" : "Disable"}
          field={["disabled", disabled ? "no" : "yes"]}
          class="grow"
          data-act
        />
        <a class="b bad" href={`${url}/remove`} data-dialog>
          <Icon name="trash" />Remove
        </a>
      </section>
    </>
  );
}

function LimitField({ value }: { value: string }) {
  return <Field id="limit" label="Quota" hint="500 MB, 20 GiB, none" value={value} />;
}

function RoleField({ role }: { role: Role }) {
  return (
    <div class="field">
      <label for="role">Role</label>
      <select id="role" name="role">
        <option value="user" selected={role === "user"}>user</option>
        <option value="admin" selected={role === "admin"}>admin: manages the accounts</option>
      </select>
    </div>
  );
}

/**
 * @param files the number of files that count against the account's quota
 * @param bytes the sum of their sizes
 */
export function RemoveAccountForm(
  { view, name, files, bytes, failed }: Props & { name: string; files: number; bytes: number },
) {
  return (
    <AdminShell view={view} title={`Remove ${name}`} tab="accounts">
      <DialogForm
        view={view}
        title={`Remove ${name}?`}
        failed={failed}
        action={`/admin/accounts/${name}/remove`}
        cancel={`/admin/accounts/${name}`}
        label="Remove"
        button={{ class: "b bad" }}
      >
        <p>
          It has {counted(files, "file")},{" "}
          {formatSize(bytes)}. Its home is moved to removed/ in the server's data directory; its
          files in Public stay there and count against no quota. Its tokens, links and partial
          uploads are removed.
        </p>
      </DialogForm>
    </AdminShell>
  );
}
