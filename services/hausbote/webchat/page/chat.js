// Starts Converse.js and logs it in: with a token from the portal, one for each connection.
// No password comes into this page, and the token is in no address and is kept nowhere.
"use strict";

(() => {
    const page = JSON.parse(document.body.dataset.chat);
    const notice = document.getElementById("notice");
    const longest = 60000; // milliseconds between two tries

    let tries = 0; // since the last time that a login succeeded

    const show = (text) => {
        notice.textContent = text;
        notice.hidden = !text;
    };
    const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

    const never = () => new Promise(() => {});

    async function askPortal() {
        const answer = await fetch(page.credentials, {
            method: "POST",
            body: new URLSearchParams({ seal: page.seal }),
            cache: "no-store",
            credentials: "same-origin",
            redirect: "manual",
        });
        if (answer.status === 401 || answer.type === "opaqueredirect") {
            location.replace(page.again); // the login at the portal is over: it offers another
            return never();
        }
        if (answer.status === 403) {
            show(page.words.failed);
            return never();
        }
        if (!answer.ok) throw new Error(`credentials: ${answer.status}`);
        return answer.json();
    }

    async function freshCredentials() {
        for (;;) {
            if (tries) await wait(Math.min(longest, 1000 * 2 ** tries));
            tries += 1;
            try {
                const told = await askPortal();
                return { jid: told.jid, password: told.token };
            } catch {
                show(page.words.waiting);
            }
        }
    }

    function connected() {
        tries = 0;
        show("");
    }

    // Nobody is to type a password here, and its footer would look for pictures elsewhere.
    for (const name of ["login-form", "registration-form", "footer", "brand-logo"]) {
        customElements.define(`converse-${name}`, class extends HTMLElement {});
    }

    converse.plugins.add("hausbote", {
        initialize() {
            const { api } = this._converse;
            api.listen.on("beforeAttemptNonPreboundSession", async (_context, attempt) => ({
                ...attempt,
                credentials: await freshCredentials(),
            }));
            api.listen.on("connected", connected);
            api.listen.on("reconnected", connected);
            api.listen.on("will-reconnect", () => show(page.words.waiting));
        },
    });

    converse
        .initialize({
            ...page.converse,
            authentication: "login",
            auto_login: true,
            // A token is no password: it must not be tried as one, nor derived from, nor kept.
            connection_options: { mechanisms: [converse.env.Strophe.SASLOAuthBearer] },
            reuse_scram_keys: false,
            // By this it knows that a token that was refused is no reason to give up.
            credentials_url: page.credentials,
            discover_connection_methods: false,
            allow_registration: false,
            allow_logout: false, // one logs out at the portal
            allow_url_history_change: false, // with whom one talks is not the history's business
            muc_nickname_from_jid: true,
            show_self_in_roster: false,
            theme: "paper",
            dark_theme: "night",
            view_mode: "fullscreen",
            whitelisted_plugins: ["hausbote"],
            loglevel: "error",
        })
        .catch(() => show(page.words.failed));
})();
