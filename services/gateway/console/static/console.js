// The console's own script: clocks, dialogs, drafts, chips, keys. The server renders, htmx swaps; this only helps the hands.
(() => {
  'use strict';
  const $ = (s, r = document) => r.querySelector(s), $$ = (s, r = document) => [...r.querySelectorAll(s)];
  const words = document.body.dataset, plain = matchMedia('(prefers-reduced-motion: reduce)');
  document.cookie = `malote-zone=${Intl.DateTimeFormat().resolvedOptions().timeZone};path=/;max-age=31536000;samesite=lax`;
  // Clocks run on the server's time: the page and every beat say what it was, performance.now() carries it on.
  let base = Date.parse(words.serverNow), at = performance.now(), ticking = 0;
  const now = () => base + performance.now() - at;
  const tick = () => {
    ticking = 0;
    for (const el of $$('[data-until]')) {
      const left = Date.parse(el.dataset.until) - now(), s = Math.max(0, Math.ceil(left / 1000)), word = $('.w', el);
      const text = left > 0 ? words.goesout.replace('{t}', Math.floor(s / 60) + ':' + String(s % 60).padStart(2, '0')) : el.dataset.due || words.due;
      if (word.textContent !== text) word.textContent = text;
      const gone = 100 - Math.max(0, left) / 10 / (el.dataset.window || 10);
      $('.ring', el)?.style.setProperty('--gone', plain.matches ? Math.round(gone / 10) * 10 : gone);
      if (left <= 0) { delete el.dataset.until; const d = $('.d', el); if (d) d.textContent = el.dataset.dueD || words.dueD; }  // the number goes; the clock stays until the server says so
    }
    if ($('[data-until]')) wind();
  };
  const wind = () => { ticking ||= setTimeout(tick, 200); };
  // Live: a beat each 15 s. After 25 s of silence or a lost stream the clocks might be wrong, and say so.
  let heard = performance.now();
  const lost = yes => {
    const box = $('#lost'); if (!box || box.hidden === !yes) return;
    const text = $('[data-text]', box), t = new Date(now());
    if (yes) text.textContent = text.dataset.text.replace('{t}', t.toTimeString().slice(0, 5));
    box.hidden = !yes; document.body.classList.toggle('is-lost', yes);
    if (!yes) { toast(words.back); const eye = $('#eye[open]'); if (eye) $(`[data-eye="${eye.dataset.of}"]`)?.click(); }  // an open eye looks again
  };
  const door = () => '/sign-in?expired=1&to=' + encodeURIComponent(location.pathname + location.search);
  const alive = () => { heard = performance.now(); lost(false); };
  document.addEventListener('beat', e => { base = Date.parse(e.detail.data); at = performance.now(); alive(); tick(); });
  document.addEventListener('ended', () => location.assign(door()));
  document.addEventListener('htmx:sse:error', e => { if (e.detail.status === 401) location.assign(door()); else lost(true); });
  if ($('#live')) setInterval(() => performance.now() - heard > 25000 && lost(true), 1000);
  const toast = text => { const n = el('div', 'toast', el('span', '', text)); $('#toasts')?.append(n); };
  const fade = n => { let t; const go = () => { t = setTimeout(() => n.remove(), 8000); }, stay = () => clearTimeout(t); for (const on of ['mouseenter', 'focusin']) n.addEventListener(on, stay); for (const off of ['mouseleave', 'focusout']) n.addEventListener(off, go); go(); };
  const shelf = $('#toasts');
  if (shelf) new MutationObserver(all => { for (const n of all.flatMap(m => [...m.addedNodes])) if (n.nodeType === 1) fade(n); while (shelf.children.length > 2) shelf.firstElementChild.remove(); }).observe(shelf, { childList: true });
  document.addEventListener('DOMContentLoaded', () => htmx.registerExtension('age', { htmx_before_morph_node: (o, { newNode: n }) => !(o.id && o.id === n.id && +o.dataset?.age > +n.dataset?.age) }));  // an answer behind the news: no message goes back
  document.addEventListener('htmx:config:request', e => { e.detail.ctx.request.headers['X-CSRF-Token'] = words.csrf; });
  document.addEventListener('htmx:error', e => { if (!e.target.closest?.('#live')) toast(words.failed); });
  // A form on its way is not sent twice, and where the server takes its time the page says so.
  let pending = 0, patience = 0;
  const waits = n => { pending = Math.max(0, pending + n); clearTimeout(patience); const box = $('#busy'); if (!box) return; if (pending) patience = setTimeout(() => { box.hidden = false; }, 400); else box.hidden = true; };
  for (const [on, n] of [['before', 1], ['finally', -1]]) document.addEventListener(`htmx:${on}:request`, () => waits(n));
  document.addEventListener('submit', e => { const d = e.target.dataset; if ('sent' in d) e.preventDefault(); else if (!e.defaultPrevented) { d.sent = ''; waits(1); } });
  addEventListener('pageshow', e => { if (e.persisted) { for (const f of $$('form[data-sent]')) delete f.dataset.sent; waits(-pending); } });
  // Drafts: every keystroke stays in this browser, under its writer, until the desk's server has it; then only there. Kept here: the request still to be made.
  const waiting = new Map(), slot = name => 'draft:' + words.who + ':' + name;
  const stored = (name, body) => { try { return body === undefined ? localStorage.getItem(slot(name)) : body ? localStorage.setItem(slot(name), body) : localStorage.removeItem(slot(name)); } catch { return null; } };  // private mode: the server alone keeps it
  const post = (body, last) => fetch('/drafts', { method: 'POST', keepalive: !!last, headers: { 'X-CSRF-Token': words.csrf, 'HX-Request': 'true' }, body: new URLSearchParams(body) });
  const push = (name, last) => {
    const w = waiting.get(name); clearTimeout(w?.timer);
    return w && post(w.body + (w.f.late ?? ''), last).then(async r => { if (!r.ok) throw r; if (waiting.get(name) === w) { waiting.delete(name); stored(name, ''); } if (r.status === 205) location.reload(); w.f.dataset.kept = await r.text(); w.f.late = ''; }).catch(() => { w.f.late = '&join=1'; });
  };
  const keep = f => {
    const name = f.dataset.draft, said = $('[data-saved]', f), ours = [...new FormData(f)].filter(([n, v]) => !['csrf', 'key', 'picked'].includes(n) && (v || n !== 'client'));
    const body = new URLSearchParams([['draft', name], ['over', f.dataset.kept ?? ''], ...ours.map(([n, v]) => ['f.' + n, v])]).toString();
    clearTimeout(waiting.get(name)?.timer); waiting.set(name, { f, body, timer: setTimeout(push, 800, name) }); stored(name, body);
    if (said) said.textContent = words.saved + ' ' + new Date(now()).toTimeString().slice(0, 5);
  };
  const drop = name => { clearTimeout(waiting.get(name)?.timer); waiting.delete(name); stored(name, ''); return post({ draft: name }, true).catch(() => {}); };
  const recall = f => {
    const name = f.dataset.draft, mine = stored(name); f.known = true;
    if ('cleared' in f.dataset) return drop(name);
    if ('typed' in f.dataset) return keep(f);  // what was refused
    f.inert = !!mine;  // until it stands in the form
    return mine && post(mine + '&join=1').then(async r => { if (!r.ok) throw r; stored(name, ''); if (await r.text() !== f.dataset.kept) location.reload(); })
      .catch(() => { f.late = '&join=1'; for (const [n, v] of new URLSearchParams(mine)) if (n.startsWith('f.') && f.elements[n.slice(2)]) f.elements[n.slice(2)].value = v; }).finally(() => { f.inert = false; });
  };
  addEventListener('pagehide', () => { for (const name of waiting.keys()) push(name, true); });
  document.addEventListener('submit', e => {
    const name = e.target.dataset.draft; clearTimeout(waiting.get(name)?.timer); waiting.delete(name);
    if (!e.target.action.endsWith('/sign-out') || !waiting.size) return;
    e.preventDefault();  // a machine may be shared: what the server keeps does not stay here
    Promise.race([Promise.all([...waiting.keys()].map(n => push(n))), new Promise(done => { setTimeout(done, 3000); })]).then(() => e.target.submit());
  });
  const bring = id => {
    const m = $('#m-' + CSS.escape(id)), f = $('#composer form'), box = f?.elements.text;
    if (!box) return;
    const said = ($('.said', m)?.textContent ?? $('iframe', m)?.contentDocument?.body.innerText ?? '').trim();
    if (!box.value && m?.dataset.subject) f.elements.subject.value = m.dataset.subject;
    box.value = (box.value ? box.value + '\n\n' : '') + said;  // never over words already there
    box.focus(); box.dispatchEvent(new Event('input', { bubbles: true }));
  };
  // Whatever has just come onto the page is made ready.
  const grow = f => { f.style.height = Math.min(1200, f.contentDocument.documentElement.offsetHeight + 4) + 'px'; };
  const fit = f => { const d = f.contentDocument; if (d?.body) { if (f.dataset.html !== undefined) d.body.innerHTML = f.dataset.html; grow(f); for (const i of d.images) i.onload = () => grow(f); } };
  addEventListener('resize', () => $$('iframe.frame, iframe.pv').forEach(grow));
  let newest = '', low = true;
  const follow = () => {  // the newest message comes into view where the reader was at the end, or wrote it
    const box = $('[data-bottom]'), last = $$('.msg', box ?? document.body).pop();
    if (!box || !last || last.id === newest) return;
    if (low || ('mine' in last.dataset)) { box.scrollTop = box.scrollHeight; if (innerWidth < 720) scrollTo(0, document.body.scrollHeight); }
    newest = last.id;
  };
  document.addEventListener('scroll', e => { if (e.target === document || e.target === $('[data-bottom]')) { const b = e.target === document ? document.documentElement : e.target; low = b.scrollHeight - b.scrollTop - b.clientHeight < 80; } }, true);
  const ready = () => {
    tick(); follow();
    for (const f of $$('iframe.frame, iframe.pv')) { if (!f.onload) { f.onload = () => fit(f); fit(f); } }
    for (const d of $$('dialog[data-show]')) { delete d.dataset.show; d.removeAttribute('data-show'); d.showModal(); d.addEventListener('close', () => $(`[data-eye="${d.dataset.of}"]`)?.focus()); }
    const stopped = $('[data-stopped]'); if (stopped) { const id = stopped.dataset.stopped; stopped.remove(); $('#eye')?.close(); $('#eye')?.remove(); $(`[data-bring="${id}"]`)?.focus(); }
    for (const f of $$('form[data-draft]')) if (!f.known) recall(f);
  };
  const here = new URL(location.href);
  if (here.searchParams.has('cleared')) { drop(here.searchParams.get('cleared')); for (const n of ['cleared', 'saved']) here.searchParams.delete(n); history.replaceState(null, '', here); }
  document.addEventListener('htmx:after:settle', ready); document.addEventListener('htmx:after:swap', ready);
  document.addEventListener('click', e => {
    if (e.target.matches('dialog')) return e.target.close();               // a click on the backdrop
    const b = e.target.closest('[data-open],[data-close],[data-unchip],[data-addchip],[data-copy],[data-mark],[data-bring],[data-hide],[data-retry],[data-again],[data-choose],[data-discard]');
    if (!b) return; const d = b.dataset;
    if ('open' in d) $('#' + d.open)?.showModal();
    if ('close' in d) b.closest('dialog')?.close();
    if ('unchip' in d) { const box = b.closest('.chips'); b.closest('.chip').remove(); check(box); $('[data-chip]', box).focus(); }
    if ('addchip' in d) { const i = $('[data-chip]', b.parentElement); add(i); i.focus(); }
    if ('copy' in d) navigator.clipboard?.writeText($('#' + d.copy).textContent).then(() => { $('span', b).textContent = words.copied; });
    if ('mark' in d) wrap(d.mark);
    if ('bring' in d) { bring(d.bring); b.closest('.toast')?.remove(); }
    if ('hide' in d) { const f = $('#hidemsg form'); f.action = d.hide; b.closest('details').open = false; $('#hidemsg').showModal(); }
    if ('retry' in d) location.reload();
    if ('choose' in d) $('#' + d.choose).click();
    if ('discard' in d) { e.preventDefault(); drop(d.discard).then(() => location.assign(b.href)); }
    if ('again' in d) b.href = door();
  });
  // The signature's editor: a textarea with marks; what still has to be typed is chosen.
  const insert = (text, from = text.length, to = from) => {
    const t = $('#html'), start = t.selectionStart; t.setRangeText(text, start, t.selectionEnd, 'end'); t.setSelectionRange(start + from, start + to);
    t.focus(); t.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const wrap = mark => {
    const t = $('#html'), inner = t.value.slice(t.selectionStart, t.selectionEnd), to = /^(https?:\/\/|mailto:|tel:)[^\s"<>]+$/.test(inner) ? inner : 'https://';
    if (mark === 'a') insert(`<a href="${to}">${inner || t.dataset.link}</a>`, 9, 9 + to.length); else insert(`<${mark}>${inner}</${mark}>`, mark.length + 2, mark.length + 2 + inner.length);
  };
  const picture = async file => {
    const i = $('#pic'), err = $('#pic-e'), say = text => { $('span', err).textContent = text; err.hidden = !text; };
    say(file.size > i.dataset.most * 1024 ? i.dataset.large : ''); if (!err.hidden) return;
    const wide = await createImageBitmap(file).then(b => Math.min(b.width, 320), () => 0);
    const r = await fetch($('#sig').action + '/picture?file_name=' + encodeURIComponent(file.name), { method: 'POST', headers: { 'X-CSRF-Token': words.csrf }, body: file }).catch(() => null);
    if (r?.ok) insert(`<img src="blob:${await r.text()}" alt="${file.name.replace(/\.\w+$/, '').replace(/["&<>{}%]/g, '') || i.dataset.alt}"${wide ? ` width="${wide}"` : ''}>`);
    else say(r && [413, 422].includes(r.status) ? await r.text() : words.failed);
  };
  // Recipient chips: Enter, comma, semicolon, paste of a list; a wrong one stays and is named.
  const good = a => /^[^\s@<>]+@[^\s@<>.]+(\.[^\s@<>.]+)+$/.test(a);
  const icon = n => { const s = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), u = document.createElementNS(s.namespaceURI, 'use'); s.setAttribute('class', 'i'); s.setAttribute('aria-hidden', 'true'); u.setAttribute('href', '#i-' + n); s.append(u); return s; };
  const el = (tag, cls, ...kids) => { const n = document.createElement(tag); if (cls) n.className = cls; n.append(...kids); return n; };
  const add = input => {
    for (const a of input.value.split(/[\s,;]+/).map(x => x.replace(/^<|>$/g, '')).filter(Boolean)) {
      const x = el('button', '', icon('x'), el('span', 'vh', words.remove.replace('{a}', a))), h = el('input'); x.type = 'button'; x.dataset.unchip = ''; h.type = 'hidden'; h.name = 'client'; h.value = a;
      input.before(el('span', 'chip' + (good(a) ? '' : ' wrong'), ...(good(a) ? [] : [icon('alert')]), el('span', '', a), x, h));
    }
    input.value = ''; check(input.closest('.chips'));
  };
  const check = box => {
    const err = $('[data-chiperr]', box.closest('.field')), wrong = $('.chip.wrong > span', box), all = $('[data-together]', box.closest('.field')), n = $$('.chip', box).length;
    err.hidden = !wrong; if (wrong) $('span', err).textContent = words.wrong.replace('{a}', wrong.textContent);
    all.hidden = n < 2; all.textContent = all.dataset.together.replace('{n}', n); keep(box.closest('form'));
  };
  document.addEventListener('focusout', e => { if (e.target.matches('[data-chip]') && e.target.value) add(e.target); });
  document.addEventListener('paste', e => {
    const file = e.clipboardData?.files[0]; if (e.target.matches('[data-chip]')) setTimeout(() => add(e.target));
    if (e.target.id === 'html' && file?.type.startsWith('image/')) { e.preventDefault(); picture(file); }
  });
  document.addEventListener('input', e => { const f = e.target.closest('form[data-draft]'); if (f) keep(f); });
  document.addEventListener('change', e => {
    const d = e.target.dataset, f = e.target.form;
    if (d.show) $('#' + d.show).hidden = false; if (d.hideIt) $('#' + d.hideIt).hidden = true;
    if ('account' in d) { const u = new URL(location.href); u.searchParams.set('channel', e.target.value); Promise.resolve(push(f.dataset.draft)).then(() => location.assign(u)); }
    if (f?.dataset.autosubmit !== undefined) f.requestSubmit();
    if ('var' in d && e.target.value) { insert(`{{ ${e.target.value} }}`); e.target.value = ''; }
    if ('picture' in d && e.target.files[0]) { picture(e.target.files[0]); e.target.value = ''; }
    if ('preset' in d) preset(e.target, true);
  });
  const preset = (select, fill) => {
    const o = select.selectedOptions[0].dataset, f = select.form.elements, app = $('#app');
    if (fill && o.imap) Object.assign(f.imap_host, { value: o.imap }) && Object.assign(f.smtp_host, { value: o.smtp }) && Object.assign(f.smtp_port, { value: o.port }) && Object.assign(f.smtp_security, { value: o.security }) && Object.assign(f.imap_port, { value: 993 }) && Object.assign(f.imap_security, { value: 'tls' });
    app.hidden = !o.app; $('a', app).href = o.app || '';
  };
  if ($('[data-preset]')) preset($('[data-preset]'), false);
  // Keys. Letters act only outside fields.
  document.addEventListener('keydown', e => {
    const t = e.target, field = t.matches('input, textarea, select, [contenteditable]');
    if (t.matches('[data-chip]')) {
      if (['Enter', ',', ';'].includes(e.key) && t.value.trim()) { e.preventDefault(); return add(t); }
      if (e.key === 'Backspace' && !t.value) { t.previousElementSibling?.remove(); return check(t.closest('.chips')); }
    }
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); return t.form?.requestSubmit(); }
    if (field || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === 'z' && $('dialog[open] [data-interrupt]')) return $('dialog[open] [data-interrupt]').click();
    if ($('dialog[open]')) return;
    const go = { r: () => $('#w-m')?.focus(), '/': () => $('#q')?.focus(), c: () => location.assign('/c/new'), '?': () => $('#keys')?.showModal(),
      z: () => $$('.msg[data-mine] .st.clock [data-eye]').pop()?.click(), j: () => step(1), k: () => step(-1) }[e.key];
    if (go) { e.preventDefault(); go(); }
  });
  const step = n => { const all = $$('.conv'), i = all.findIndex(a => a === document.activeElement || (!all.includes(document.activeElement) && a.matches('[aria-current]'))); all[Math.min(all.length - 1, Math.max(0, i + n))]?.focus(); };
  ready();
})();
