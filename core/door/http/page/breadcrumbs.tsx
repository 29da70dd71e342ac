/** The breadcrumbs of a folder or file. */
import { encodePath } from "../path.ts";

/** Returns the names of the parts of a path, as the page shows them. */
export function partsOf(path: string): string[] {
  const [place, ...parts] = path.split("/").slice(1);
  return [{ home: "Home", public: "Public" }[place] ?? place, ...parts];
}

/** @param urlOf returns the URL of a part, by its number; the last part is no link */
export function Breadcrumbs(
  { parts, urlOf }: { parts: readonly string[]; urlOf: (i: number) => string },
) {
  return (
    <nav class="crumbs" aria-label="Path">
      <ol>
        {parts.map((part, i) => (
          <li>
            {i === parts.length - 1
              ? <h1 aria-current="page">{part}</h1>
              : <a href={urlOf(i)}>{part}</a>}
          </li>
        ))}
      </ol>
    </nav>
  );
}

export function PathBreadcrumbs({ path }: { path: string }) {
  const names = path.split("/");
  const urlOf = (i: number) => `/files${encodePath(names.slice(0, i + 2).join("/"))}/`;
  return <Breadcrumbs parts={partsOf(path)} urlOf={urlOf} />;
}
