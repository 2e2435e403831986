// The service worker of a spoke's tablet. `outbox.js` fills the cache: two empty pages and what they
// need, never a page with a patient on it.
const PAGES = "tablet";
const VISIT = "/spoke/visit";
const KEPT = "/spoke/kept";

const worker = /** @type {any} */ (self);

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) =>
  event.waitUntil(worker.clients.claim()),
);
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request, pathname));
  else if (request.method === "GET" && pathname.startsWith("/static/")) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  }
});

/** @param {Request} request @param {string} path */
async function page(request, path) {
  try {
    return await fetch(request);
  } catch {
    // What was posted here is not asked for again when the link is back.
    if (request.method !== "GET") return Response.redirect(KEPT, 303);
    return (await caches.match(path === VISIT ? VISIT : KEPT)) ?? Response.error();
  }
}

export {};
