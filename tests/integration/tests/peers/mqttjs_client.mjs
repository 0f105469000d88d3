// Runs MQTT.js against a broker. Prints each check that succeeds, one line each.
//
//     mqttjs_client.mjs PACKAGE_JSON features PORT VERSION
//     mqttjs_client.mjs PACKAGE_JSON cuts PUBLISHER_PORT SUBSCRIBER_PORT VERSION QOS
//
// PACKAGE_JSON is that of the package mqtt. VERSION is 3 (MQTT 3.1) or 4 (MQTT 3.1.1). The ports
// of `cuts` are those of relays that cut connections.

import { deepStrictEqual } from "node:assert";
import { createRequire } from "node:module";

const [packageJson, what, ...numbers] = process.argv.slice(2);
const mqtt = createRequire(packageJson)(packageJson.replace(/package\.json$/, ""));

// The time limit of every wait. It passes only when a test fails.
const PATIENCE = 20_000;

const ok = (what) => console.log(`ok ${what}`);

const inTime = (promise, what) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what}`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

class Client {
  #messages = [];
  #waiting = [];

  constructor(port, version, options) {
    this.mqtt = mqtt.connect({
      host: "127.0.0.1",
      port,
      protocolVersion: version,
      protocolId: version === 3 ? "MQIsdp" : "MQTT",
      reconnectPeriod: 50,
      ...options,
    });
    this.mqtt.on("error", () => {}); // it connects again
    this.mqtt.on("message", (topic, payload, { qos, retain }) => {
      const message = { topic, payload: payload.toString(), qos, retain };
      const next = this.#waiting.shift();
      if (next) next(message);
      else this.#messages.push(message);
    });
    this.connected = new Promise((resolve) => this.mqtt.once("connect", resolve));
  }

  // Returns Session Present.
  static async connect(port, version, options) {
    const client = new Client(port, version, options);
    client.sessionPresent = (await inTime(client.connected, "CONNACK")).sessionPresent;
    return client;
  }

  // Returns the QoS that is granted for each filter, or 0x80.
  async subscribe(filters) {
    const asked = Object.fromEntries(Object.entries(filters).map(([f, qos]) => [f, { qos }]));
    const answer = new Promise((resolve, reject) => {
      this.mqtt.subscribe(asked, (error, granted, packet) => {
        if (packet?.granted) resolve(packet.granted);
        else if (granted) resolve(granted.map(({ qos }) => qos));
        else reject(error);
      });
    });
    return inTime(answer, "SUBACK");
  }

  // MQTT.js does not subscribe again to a filter that it has, so it unsubscribes first.
  async subscribeAgain(filter, qos) {
    await inTime(this.mqtt.unsubscribeAsync(filter), "UNSUBACK");
    deepStrictEqual(await this.subscribe({ [filter]: qos }), [qos]);
  }

  publish(topic, payload, qos = 0, retain = false) {
    return inTime(this.mqtt.publishAsync(topic, payload, { qos, retain }), "acknowledgement");
  }

  receive() {
    const message = this.#messages.shift();
    if (message) return Promise.resolve(message);
    return inTime(new Promise((resolve) => this.#waiting.push(resolve)), "message");
  }

  async receiveAll(count) {
    const messages = [];
    while (messages.length < count) messages.push(await this.receive());
    return messages;
  }

  // Sends DISCONNECT and closes.
  end() {
    deepStrictEqual(this.#messages, [], "more messages than expected");
    return this.mqtt.endAsync();
  }

  // Closes without DISCONNECT.
  async breakOff() {
    this.mqtt.options.reconnectPeriod = 0;
    const closed = new Promise((resolve) => this.mqtt.once("close", resolve));
    this.mqtt.stream.destroy();
    await inTime(closed, "end of the connection");
  }
}

async function features(port, version) {
  const here = await Client.connect(port, version, { clientId: "here" });
  const there = await Client.connect(port, version, { clientId: "there" });
  deepStrictEqual([here.sessionPresent, there.sessionPresent], [false, false]);
  ok("connect");

  deepStrictEqual(await there.subscribe({ "to/#": 2, "some/+/level": 1, denied: 0 }), [2, 1, 128]);
  ok("subscribe, with a filter that is denied");

  for (const qos of [0, 1, 2]) {
    const expected = [];
    const sending = [];
    for (let n = 0; n < 200; n++) {
      sending.push(here.publish("to/there", `${n}`, qos));
      expected.push({ topic: "to/there", payload: `${n}`, qos, retain: false });
    }
    await Promise.all(sending);
    deepStrictEqual(await there.receiveAll(200), expected);
    ok(`200 messages at QoS ${qos}`);
  }

  await here.publish("some/other/level", "granted less", 2);
  deepStrictEqual((await there.receive()).qos, 1);
  ok("the lower QoS");

  const large = "0123456789abcdef".repeat(65536);
  for (const payload of ["", large]) {
    await here.publish("to/there", payload, 2);
    deepStrictEqual((await there.receive()).payload === payload, true);
  }
  ok("a payload of 1 MiB");

  await inTime(there.mqtt.unsubscribeAsync(["to/#", "not/there"]), "UNSUBACK");
  await here.publish("to/nobody", "lost", 1);
  await here.publish("some/other/level", "found", 0);
  deepStrictEqual((await there.receive()).payload, "found");
  ok("unsubscribe");

  await here.publish("kept", "first", 1, true);
  await here.publish("kept", "second", 1, true);
  deepStrictEqual(await there.subscribe({ kept: 2 }), [2]);
  const kept = (payload, qos, retain) => ({ topic: "kept", payload, qos, retain });
  deepStrictEqual(await there.receive(), kept("second", 1, true));
  await here.publish("kept", "", 1, true);
  deepStrictEqual(await there.receive(), kept("", 1, false));
  await there.subscribeAgain("kept", 2);
  await here.publish("kept", "not retained");
  deepStrictEqual(await there.receive(), kept("not retained", 0, false));
  ok("retained messages");

  const will = (payload) => ({ topic: "kept", payload, qos: 2, retain: true });
  const victim = await Client.connect(port, version, { clientId: "victim", will: will("will") });
  await victim.breakOff();
  deepStrictEqual(await there.receive(), kept("will", 2, false));
  const polite = await Client.connect(port, version, { clientId: "polite", will: will("never") });
  await polite.end();
  await there.subscribeAgain("kept", 2);
  deepStrictEqual(await there.receive(), kept("will", 2, true));
  await here.publish("kept", "", 0, true);
  await there.receive();
  ok("will");

  const options = { clientId: "absent", clean: false, resubscribe: false };
  let absent = await Client.connect(port, version, options);
  await absent.subscribe({ "absent/#": 2 });
  await absent.end();
  for (let n = 0; n < 100; n++) await here.publish("absent/for/now", `${n}`, n < 50 ? 1 : 2);
  absent = await Client.connect(port, version, options);
  // There is no Session Present in MQTT 3.1.
  deepStrictEqual(absent.sessionPresent, version === 4);
  const payloads = (await absent.receiveAll(100)).map(({ payload }) => payload);
  deepStrictEqual(payloads, Array.from({ length: 100 }, (_, n) => `${n}`));
  await absent.end();
  absent = await Client.connect(port, version, { ...options, clean: true });
  deepStrictEqual(absent.sessionPresent, false);
  await absent.end();
  ok("persistent session");

  await here.end();
  await there.end();
}

async function cuts(publisherPort, subscriberPort, version, qos) {
  const options = { clean: false, resubscribe: false };
  const subscriber = await Client.connect(subscriberPort, version, {
    clientId: "cut-subscriber",
    ...options,
  });
  deepStrictEqual(await subscriber.subscribe({ cut: qos }), [qos]);
  const publisher = await Client.connect(publisherPort, version, {
    clientId: "cut-publisher",
    ...options,
  });
  const sending = [];
  for (let n = 0; n < 200; n++) sending.push(publisher.publish("cut", `${n}`, qos));
  await Promise.all(sending);
  await publisher.publish("cut", "end", qos);
  let received = [];
  for (;;) {
    const { payload } = await subscriber.receive();
    if (payload === "end") break;
    received.push(Number(payload));
  }
  if (qos === 1) received = [...new Set(received)];
  deepStrictEqual(received, Array.from({ length: 200 }, (_, n) => n));
  ok(qos === 1 ? "at least once" : "exactly once");
  await publisher.end();
  subscriber.mqtt.end(true);
}

await { features, cuts }[what](...numbers.map(Number));
process.exit(0); // ends timers too
