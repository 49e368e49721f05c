// Bundles each widget of src/ into one module and one style sheet beside the Python class that loads them.
// A widget's module is loaded from a blob, so there are no chunks, no relative imports and no asset URLs.
import { context, build } from "esbuild";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const outdir = join(here, "..", "jupyter_arkitekt", "widgets", "static");

const widgets = readdirSync(source).filter((name) => existsSync(join(source, name, "index.ts")));
const options = {
  absWorkingDir: here,
  entryPoints: Object.fromEntries(widgets.map((name) => [name, join(source, name, "index.ts")])),
  outdir,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  logLevel: "info",
};

if (process.argv.includes("--watch")) {
  const watcher = await context({ ...options, minify: false });
  await watcher.watch();
} else {
  // What a widget that is gone left behind must not reach a wheel.
  rmSync(outdir, { recursive: true, force: true });
  await build(options);
}
