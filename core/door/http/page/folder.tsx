/** The page of a folder. */
import { formatSize } from "../../../size.ts";
import type { Entry } from "../../../protocol/message.ts";
import { describeOmission } from "../../../protocol/omission.ts";
import { stat } from "../../../session/stat.ts";
import { encodePath, join, split } from "../path.ts";
import { partsOf, PathBreadcrumbs } from "./breadcrumbs.tsx";
import { counted } from "../../../counted.ts";
import { lookOf } from "./format.ts";
import { Csrf, Icon, PageHead, type Section, send, Shell, Time } from "./layout.tsx";
import { type Listing, listing, type ListingQuery, listingQueryOf, listingUrl } from "./listing.ts";
import { type PageContext, type UserView, userView } from "./view.ts";

/** GET /files/PATH/. */
export async function showFolder(c: PageContext): Promise<Response> {
  const view = await userView(c);
  const { path, folder } = view.exchange.pathBelow("/files");
  if (path === "/") return c.redirect(`/files/${view.session.wayIn("/") ?? "home"}/`, 303);
  const { entry } = await stat(view.session, path);
  if (entry?.type !== "dir") return c.redirect(`/about${encodePath(path)}`, 303);
  if (!folder) return c.redirect(`/files${encodePath(path)}/`, 301);
  const query = listingQueryOf(view.query);
  const listed = await listing(view.session, path, query);
  return await send(
    <Shell view={view} title={partsOf(path).at(-1)!} section={sectionOf(path)}>
      <Head view={view} path={path} query={query} />
      {listed.matching === 0
        ? <Empty path={path} query={query} total={listed.total} />
        : <Table view={view} path={path} query={query} listed={listed} />}
      {listed.omitted && (
        <p class="soft">Not everything is here: {describeOmission(listed.omitted)}.</p>
      )}
    </Shell>,
  );
}

/** Returns the section of the navigation that a path is in. */
export function sectionOf(path: string): Section {
  return path.startsWith("/public") ? "public" : "home";
}

function Head({ view, path, query }: { view: UserView; path: string; query: ListingQuery }) {
  return (
    <PageHead view={view} id="folder" data-path={path}>
      <PathBreadcrumbs path={path} />
      <form class="find" method="get" role="search" data-find>
        <Icon name="search" />
        <label class="sr" for="q">Filter by name</label>
        <input
          id="q"
          type="search"
          name="q"
          value={query.filter}
          placeholder="Filter"
          autocomplete="off"
          spellcheck={false}
        />
        {query.sort !== "name" && <input type="hidden" name="sort" value={query.sort} />}
        {query.descending && <input type="hidden" name="order" value="desc" />}
      </form>
      <a class="b" href={`/do/mkdir?dir=${encodeURIComponent(path)}`} data-dialog id="new-folder">
        <Icon name="new-folder" />New folder
      </a>
      <button type="button" class="b main" id="upload" hidden>
        <Icon name="upload" />Upload
      </button>
      <noscript>
        <p class="soft">Uploads on this page need JavaScript.</p>
      </noscript>
    </PageHead>
  );
}

function Empty({ path, query, total }: { path: string; query: ListingQuery; total: number }) {
  if (query.filter !== "" && total > 0) {
    return (
      <div class="list empty">
        <Icon name="search" />
        <h2>No name here contains “{query.filter}”</h2>
        <p>
          <a href={`/files${encodePath(path)}/`}>Show all {counted(total, "item")}</a>
        </p>
      </div>
    );
  }
  return (
    <div class="list empty">
      <Icon name="upload" />
      <h2>Nothing here yet</h2>
      <p>Drop files or whole folders here, or choose Upload.</p>
    </div>
  );
}

function Table(
  { view, path, query, listed }: {
    view: UserView;
    path: string;
    query: ListingQuery;
    listed: Listing;
  },
) {
  const inPublic = sectionOf(path) === "public";
  return (
    <>
      <form class="list" method="post" action="/do/delete" data-files>
        <Csrf view={view} />
        <input type="hidden" name="dir" value={path} />
        <SelectionBar inPublic={inPublic} />
        <table>
          <caption class="sr">Files and folders in {path}</caption>
          <thead>
            <tr>
              <th class="pick" scope="col">
                <input type="checkbox" data-all aria-label="Select all" hidden />
              </th>
              <Heading label="Name" sort="name" class="name" query={query} />
              <Heading label="Size" sort="size" class="size" query={query} />
              <Heading label="Changed" sort="modified" class="when" query={query} />
              {inPublic && <th class="own" scope="col">Owner</th>}
              <th class="acts" scope="col">
                <span class="sr">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {listed.entries.map((entry) => <Row path={path} entry={entry} inPublic={inPublic} />)}
          </tbody>
        </table>
      </form>
      <Foot query={query} listed={listed} />
    </>
  );
}

/** The actions on the selected entries. */
function SelectionBar({ inPublic }: { inPublic: boolean }) {
  const verbs = [
    ["move", "move", "Move"],
    ["copy", "copy", "Copy"],
    ["rename", "rename", "Rename"],
    inPublic ? ["claim", "home", "Claim"] : ["publish", "public", "Publish"],
    ["delete", "trash", "Delete"],
  ];
  return (
    <div class="bar" role="toolbar" aria-label="Selection">
      <strong data-count>Selected</strong>
      {verbs.map(([verb, icon, label]) => (
        <button type="submit" class="b" formaction={`/do/${verb}`} data-verb={verb}>
          <Icon name={icon} />
          {label}
        </button>
      ))}
    </div>
  );
}

function Heading(
  { label, sort, query, class: className }: {
    label: string;
    sort: ListingQuery["sort"];
    query: ListingQuery;
    class: string;
  },
) {
  const isCurrent = query.sort === sort;
  const descending = isCurrent && !query.descending;
  return (
    <th
      class={className}
      scope="col"
      aria-sort={isCurrent ? (query.descending ? "descending" : "ascending") : undefined}
    >
      <a href={listingUrl({ ...query, sort, descending, page: 1 })}>
        {label}
        {isCurrent && <Icon name={query.descending ? "down" : "up"} />}
      </a>
    </th>
  );
}

function Row({ path, entry, inPublic }: { path: string; entry: Entry; inPublic: boolean }) {
  const { name, type, size, modified, owner } = entry;
  const encoded = encodePath(join(path, name));
  const dir = type === "dir";
  return (
    <tr>
      <td class="pick">
        <input type="checkbox" name="name" value={name} aria-label={`Select ${name}`} />
      </td>
      <td class={dir ? "name dir" : "name"}>
        <a href={dir ? `/files${encoded}/` : `/about${encoded}`}>
          <Icon name={dir ? "folder" : iconOf(name)} />
          <span>{name}</span>
        </a>
      </td>
      <td class="size">{dir ? "" : formatSize(size)}</td>
      <td class="when">
        <Time at={modified} />
      </td>
      {inPublic && <td class="own">{owner ?? ""}</td>}
      <td class="acts">
        <a
          class="b icon"
          {...downloadOf(join(path, name), dir)}
          aria-label={`Download ${name}`}
          title={dir ? "Download as zip" : "Download"}
        >
          <Icon name="download" />
        </a>
        <a class="b icon" href={`/about${encoded}`} aria-label={`More about ${name}`} title="More">
          <Icon name="more" />
        </a>
      </td>
    </tr>
  );
}

/** Returns the attributes of a link that downloads a file, or a folder as an archive. */
export function downloadOf(path: string, dir: boolean, format: "zip" | "tar" = "zip") {
  const url = `/api/v1/files${encodePath(path)}`;
  const { name } = split(path);
  return dir
    ? { href: `${url}/?archive=${format}`, download: `${name}.${format}` }
    : { href: url, download: name };
}

/** Returns the icon of a file. */
export function iconOf(name: string): string {
  const look = lookOf(name);
  return look === "other" ? "file" : look === "pdf" ? "text" : look;
}

function Foot({ query, listed }: { query: ListingQuery; listed: Listing }) {
  const { matching, pages, bytes } = listed;
  const page = Math.min(query.page, pages);
  const pageUrl = (page: number) => listingUrl({ ...query, page });
  return (
    <div class="foot">
      <span>
        {counted(matching, "item")}
        {bytes > 0 && `, ${formatSize(bytes)}`}
      </span>
      <span data-keys hidden>
        <kbd>?</kbd> shows keyboard shortcuts
      </span>
      {pages > 1 && (
        <nav class="row" aria-label="Pages">
          {page > 1 && <a href={pageUrl(page - 1)}>Previous</a>}
          <span>page {page} of {pages}</span>
          {page < pages && <a href={pageUrl(page + 1)}>Next</a>}
        </nav>
      )}
    </div>
  );
}
