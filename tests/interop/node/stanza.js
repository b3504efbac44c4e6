// Two people with StanzaJS: node stanza.js DOMAIN PASSWORD WAY URL, where WAY is websocket or bosh.
// Says what happened on standard output, a line for each thing, and ends with "done".
import * as XMPP from "stanza";

const [domain, password, way, url] = process.argv.slice(2);

function next(client, event) {
  return new Promise((resolve) => client.once(event, resolve));
}

function fail(sentence) {
  console.log(sentence);
  process.exit(1);
}

async function come(username) {
  const client = XMPP.createClient({
    jid: `${username}@${domain}`,
    password,
    resource: "stanza",
    transports: { [way]: url },
    autoReconnect: false,
  });
  client.on("auth:failed", () => fail(`${username} may not log in`));
  client.on("stream:error", (error) => fail(`${username}: ${error.condition}`));
  const started = next(client, "session:started");
  client.connect();
  await started;
  console.log(`${username} is ${client.jid}`);
  const seen = next(client, "presence");
  client.sendPresence();
  await seen;
  return client;
}

const romeo = await come("romeo");
const juliet = await come("juliet");

for (const [from, to] of [[romeo, juliet], [juliet, romeo]]) {
  const heard = next(to, "chat");
  from.sendMessage({ to: to.jid, type: "chat", body: `Hark & <b> "é" 'x' \u{1F339}` });
  const message = await heard;
  console.log(`${message.from} said ${message.body}`);
}

console.log(`the roster has ${(await romeo.getRoster()).items.length}`);

for (const client of [juliet, romeo]) {
  const gone = next(client, "stream:end");
  client.disconnect();
  await gone;
}
console.log("done");
process.exit(0);
