// Builds the stylesheets, the scripts and the images that `make check` compares with the committed
// ones. `node build.js [folder]` writes into another folder instead of the served one.
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import postcss from "postcss";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const target = resolve(process.argv[2] ?? join(here, "../src/sanjeevani/web/static"));
// Phones of 2018 onwards: Android browsers update by themselves, iPhones stop with their system.
const browsers = ["chrome80", "firefox78", "safari14.1"];

/** @param {string} folder @param {string} extension */
const entries = (folder, extension) =>
  readdirSync(join(here, folder))
    .filter((name) => name.endsWith(extension) && !name.startsWith("_"))
    .sort();

// Variants of GOV.UK Frontend that no page of ours uses: a third of its weight.
const unused = new RegExp(
  [
    "govuk-link--(?!no-visited)|govuk-link-image|govuk-button--(inverse|start)|govuk-button__start",
    "govuk-file-upload-|govuk-summary-card|govuk-tag--",
    "govuk-body-lead|govuk-list--spaced|govuk-back-link--inverse|govuk-label--xl",
    "govuk-(caption-xl|caption-l|fieldset__legend--xl|input--width-(3|30))\\b|-moz-focus-inner",
    "govuk-summary-list__row--no-(actions|border)|govuk-summary-list--no-border|govuk-main-wrapper--|__divider|-from-desktop|govuk-drop-zone|exit-this-page|govuk-input--extra-letter-spacing|govuk-clearfix",
  ].join("|"),
);

const unusedByPatients = /govuk-(radios|checkboxes)--small|govuk-grid|kbd/;

/**
 * Takes out what is repeated or never used. The family is written once on the body; colours are
 * custom properties that nobody sets, so that the fallback is the colour.
 * @param {string} css
 * @param {string} name
 */
function withoutUnused(css, name) {
  const root = postcss.parse(css);
  root.walkDecls((declaration) => {
    const repeated =
      declaration.prop.endsWith("font-smoothing") ||
      declaration.prop.startsWith("--govuk-frontend") ||
      (declaration.prop === "font-family" && declaration.value === "inherit");
    if (repeated) declaration.remove();
    else declaration.value = declaration.value.replaceAll(/var\(--govuk-[a-z-]+, ?([^()]+)\)/g, "$1");
  });
  root.walkRules((rule) => {
    if (rule.parent?.type === "atrule" && /** @type {postcss.AtRule} */ (rule.parent).name === "keyframes") return;
    rule.selectors = rule.selectors.filter(
      (selector) =>
        !unused.test(selector) && !(name === "patient.scss" && unusedByPatients.test(selector)),
    );
    if (!rule.selector || !rule.nodes.length) rule.remove();
  });
  root.walkAtRules((rule) => {
    const explorer = rule.params.includes("\\0");
    if (explorer || (rule.nodes && !rule.nodes.length)) rule.remove();
  });
  return root.toString();
}

for (const folder of ["css", "js", "images"]) {
  rmSync(join(target, folder), { recursive: true, force: true });
  mkdirSync(join(target, folder), { recursive: true });
}

for (const name of entries("sass", ".scss")) {
  const { css } = sass.compile(join(here, "sass", name), {
    style: "compressed",
    loadPaths: [join(here, "node_modules")],
    quietDeps: true,
  });
  const { code } = await esbuild.transform(withoutUnused(css, name), {
    loader: "css",
    minify: true,
    target: browsers,
    charset: "utf8",
  });
  writeFileSync(join(target, "css", name.replace(".scss", ".css")), code);
}

await esbuild.build({
  entryPoints: entries("js", ".js").map((name) => join(here, "js", name)),
  outdir: join(target, "js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: browsers,
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
});

cpSync(join(here, "images"), join(target, "images"), { recursive: true });
