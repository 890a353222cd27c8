// Opens leasekeeper's status page in a real browser, light and dark and on a
// phone, checks what a person would look for, and takes a screenshot of each.
//
//   node page.mjs URL FOLDER CHROMIUM
//
// Prints one JSON object with what was seen; exit code 1 with a reason otherwise.
import { chromium } from "playwright-core";

const [url, folder, executablePath] = process.argv.slice(2);
const looks = [
  { name: "light", viewport: { width: 1200, height: 900 }, colorScheme: "light" },
  { name: "dark", viewport: { width: 1200, height: 900 }, colorScheme: "dark" },
  { name: "phone", viewport: { width: 390, height: 844 }, colorScheme: "light" },
];
const want = (ok, what) => {
  if (!ok) throw new Error(what);
};

async function look(browser, { name, ...options }) {
  const page = await browser.newPage(options);
  const errors = [], foreign = [];
  page.on("pageerror", (e) => errors.push(String(e)));
  page.on("console", (m) => m.type() === "error" && errors.push(m.text()));
  page.on("request", (r) => r.url().startsWith(url) || r.url().startsWith("data:") || foreign.push(r.url()));
  await page.goto(url, { timeout: 20000 });
  await page.waitForFunction(() => document.querySelectorAll("#leases tr").length >= 3, null, { timeout: 20000 });
  const text = await page.innerText("body");
  want(text.includes("shardId-000000000002"), `${name}: no shard is shown`);
  want(/ready/.test(text), `${name}: readiness is not shown`);
  const before = await page.innerHTML("#workers");
  await page.waitForFunction((old) => document.querySelector("#workers").innerHTML !== old, before, { timeout: 20000 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  want(wide <= 0, `${name}: the page is ${wide} pixels wider than the screen`);
  await page.fill("#filter", "shardId-000000000001");
  await page.waitForFunction(() => document.querySelectorAll("#leases tr").length === 1, null, { timeout: 5000 });
  await page.fill("#filter", "");
  want(errors.length === 0, `${name}: errors in the browser: ${errors.join("; ")}`);
  want(foreign.length === 0, `${name}: the page asked for ${foreign.join(", ")}`);
  await page.screenshot({ path: `${folder}/status-${name}.png`, fullPage: true });
  const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.close();
  return background;
}

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
try {
  const backgrounds = {};
  for (const l of looks) backgrounds[l.name] = await look(browser, l);
  want(backgrounds.light !== backgrounds.dark, "light and dark look the same");
  console.log(JSON.stringify({ page: "ok", looks: looks.length }));
} catch (e) {
  console.error(String(e));
  process.exitCode = 1;
} finally {
  await browser.close();
}
