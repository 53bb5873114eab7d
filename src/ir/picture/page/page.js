'use strict';
// The page of a graph. Layers and coordinates come with the data; this file draws them, lets groups open and close, and links
// nodes, source lines and time to each other. `window.autoray` is how tests look inside.
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const $ = id => document.getElementById(id);
  const element = (tag, text, attributes = {}) => {
    const e = document.createElement(tag);
    if (text != null) e.textContent = text;
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    return e;
  };
  const TITLE = 12, DETAIL = 10, HEADER = 30, PAD = 16, GAP_X = 28, GAP_Y = 40;
  const MONO = 'ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace';

  // ---- numbers ----
  const thousands = n => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  const scaled = (v, step, units) => {
    let k = 0;
    while (v >= step && k + 1 < units.length) { v /= step; ++k; }
    return (k === 0 ? Math.round(v) : v < 10 ? v.toFixed(2) : v < 100 ? v.toFixed(1) : v.toFixed(0)) + units[k];
  };
  const bytes = v => scaled(v, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB']);
  const short = v => scaled(v, 1000, ['', 'k', 'M', 'G', 'T', 'P']);

  // ---- state ----
  const state = {stage: 0, view: '', colour: data.colour, open: new Map(), chosen: new Set(), focus: null, matches: [], match: -1};
  let graph, stage, items = [], edges = [], rep = [], extent = {w: 1, h: 1}, users = [], lineNodes = new Map();
  const camera = {x: 0, y: 0, k: 1};
  const view = () => stage.views.find(v => v.name === state.view);
  const whole = () => graph.nodes.length > 0;
  const openGroups = () => {
    const key = state.stage + state.view;
    if (!state.open.has(key)) state.open.set(key, new Set());
    return state.open.get(key);
  };

  function useStage(number) {
    state.stage = number;
    stage = data.stages[number];
    graph = stage.graph;
    users = graph.nodes.map(() => []);
    for (const r of graph.results) if (whole()) graph.nodes[r].result = true;
    graph.nodes.forEach((n, i) => n.inputs.forEach(from => users[from].push(i)));
    lineNodes = new Map();
    const add = (file, line, i) => {
      const key = file + ':' + line;
      if (!lineNodes.has(key)) lineNodes.set(key, []);
      const list = lineNodes.get(key);
      if (list[list.length - 1] !== i) list.push(i);
    };
    graph.nodes.forEach((n, i) => n.stacks.forEach(s => add(graph.stacks[s].file, graph.stacks[s].line, i)));
    $('title').textContent = graph.title;
    const t = graph.totals;
    $('totals').textContent = `${thousands(t.nodes)} node${t.nodes === 1 ? '' : 's'} · ${short(t.flops)} FLOPs · ${bytes(t.bytes)} in all · peak ${bytes(t.peak_bytes)}`;
    document.title = graph.title + ' · autoray graph';
    $('notice').hidden = !stage.notice;
    $('notice').textContent = stage.notice;
    clearChoice();
    showSource();
    search();
  }

  // ---- what is visible, and where ----

  // Boxes of a row moved apart as little as possible: each at its wish, or at the mean wish of a run that touches.
  function spread(row) {
    const runs = [];
    let offset = 0;
    row.forEach((box, k) => {
      if (k) offset += (row[k - 1].w + box.w) / 2 + GAP_X;
      box.offset = offset;
      runs.push({sum: box.x - offset, count: 1});
      while (runs.length > 1 && runs[runs.length - 2].sum / runs[runs.length - 2].count > runs[runs.length - 1].sum / runs[runs.length - 1].count) {
        const last = runs.pop(), before = runs[runs.length - 1];
        before.sum += last.sum;
        before.count += last.count;
      }
    });
    let k = 0;
    for (const run of runs) for (let c = 0; c < run.count; ++c, ++k) row[k].x = run.sum / run.count + row[k].offset;
  }

  function nodeItem(i, x, y, inside) {
    return {node: i, x, y, w: stage.widths[i], h: 36, inside};
  }

  function build() {
    items = [];
    edges = [];
    rep = new Array(graph.nodes.length).fill(-1);
    if (state.view === 'nodes') {
      const flat = stage.flat;
      graph.nodes.forEach((n, i) => {
        rep[i] = items.length;
        items.push(nodeItem(i, flat.at[2 * i], flat.at[2 * i + 1], null));
      });
      let e = 0;
      graph.nodes.forEach((n, i) => n.inputs.forEach(from => edges.push({a: from, b: i, n: 1, bends: flat.bends[e++]})));
      extent = {w: flat.w, h: flat.h};
    } else {
      buildGroups();
    }
    colourItems();
    draw();
  }

  function buildGroups() {
    const v = view(), open = openGroups(), rows = [];
    const boxes = v.groups.map((g, k) => {
      const opened = open.has(k) && g.inner;
      const box = {group: k, x: g.x, row: g.row, opened,
                   w: opened ? Math.max(g.inner.w, 8 * (g.title.length + g.detail.length) + 40) + 2 * PAD : g.w,
                   h: opened ? g.inner.h + HEADER + 2 * PAD : g.h};
      (rows[g.row] = rows[g.row] || []).push(box);
      return box;
    });
    let y = 0, left = Infinity, right = -Infinity;
    const rowY = [];
    for (const [r, row] of rows.entries()) {
      if (!row) continue;
      row.sort((a, b) => a.x - b.x || a.group - b.group);
      spread(row);
      const h = Math.max(...row.map(b => b.h));
      rowY[r] = y + h / 2;
      for (const b of row) {
        b.y = y + h / 2;
        left = Math.min(left, b.x - b.w / 2);
        right = Math.max(right, b.x + b.w / 2);
      }
      y += h + GAP_Y;
    }
    for (const b of boxes) b.x -= left;
    extent = boxes.length ? {w: right - left, h: y - GAP_Y} : {w: 1, h: 1};
    const owner = [];
    boxes.forEach((b, k) => {
      owner[k] = items.length;
      items.push(b);
      const g = v.groups[k];
      if (!b.opened) {
        for (const i of g.nodes) rep[i] = owner[k];
        return;
      }
      const x0 = b.x - g.inner.w / 2, y0 = b.y - b.h / 2 + HEADER + PAD;
      g.nodes.forEach((i, n) => {
        rep[i] = items.length;
        items.push(nodeItem(i, x0 + g.inner.at[2 * n], y0 + g.inner.at[2 * n + 1], owner[k]));
      });
    });
    // Between closed groups the layout's own bends; from and to what is open, straight.
    const known = new Map();
    for (const [a, b, n, bends] of v.edges) {
      if (boxes[a].opened || boxes[b].opened) continue;
      const edge = {a: owner[a], b: owner[b], n, bends: bends.map((value, k) => k % 2 ? rowY[value] : value - left)};
      known.set(edge.a * items.length + edge.b, null);
      edges.push(edge);
    }
    graph.nodes.forEach((n, i) => n.inputs.forEach(from => {
      const a = rep[from], b = rep[i];
      if (a === b) return;
      const key = a * items.length + b;
      const edge = known.get(key);
      if (edge === null) return;
      if (edge) ++edge.n;
      else {
        known.set(key, {a, b, n: 1});
        edges.push(known.get(key));
      }
    }));
  }

  // ---- colours ----
  const groupOf = item => view().groups[item.group];
  const measure = {
    flops: {node: n => n.flops, group: g => g.flops, text: v => short(v) + ' FLOPs'},
    bytes: {node: n => n.bytes, group: g => g.bytes, text: bytes},
    memory: {node: n => n.live, group: g => g.live, text: bytes},
  };
  const heatOf = (value, most) => data.heat[most > 0 ? Math.round(Math.log1p(value) / Math.log1p(most) * (data.heat.length - 1)) : 0];
  function colourItems() {
    const m = measure[state.colour];
    let most = 0;
    if (m) for (const it of items) if (!it.opened) most = Math.max(most, it.node != null ? m.node(graph.nodes[it.node]) : m.group(groupOf(it)));
    for (const it of items) {
      if (it.opened) it.fill = null;
      else if (m) it.fill = heatOf(it.node != null ? m.node(graph.nodes[it.node]) : m.group(groupOf(it)), most);
      else it.fill = data.colours[it.node != null ? colourKey(graph.nodes[it.node]) : groupOf(it).colour] || '#e6ebf2';
    }
    const legend = $('legend');
    legend.replaceChildren();
    if (m) {
      const scale = element('span', null, {class: 'scale'});
      scale.style.background = `linear-gradient(90deg, ${data.heat.join(',')})`;
      legend.append(element('span', '0'), scale, element('span', m.text(most)));
    } else {
      const count = new Map();
      for (const n of graph.nodes) count.set(colourKey(n), (count.get(colourKey(n)) || 0) + 1);
      for (const [label, n] of [...count].sort((a, b) => b[1] - a[1]).slice(0, 10)) {
        const entry = element('span'), dot = element('i');
        dot.style.background = data.colours[label];
        entry.append(dot, `${label} ${thousands(n)}`);
        legend.append(entry);
      }
    }
    legend.hidden = !legend.childNodes.length;
  }
  const colourKey = n => n.op === 'None' ? n.kind : n.op;

  // ---- drawing ----
  const canvas = $('graph'), context = canvas.getContext('2d');
  let size = {w: 1, h: 1}, pending = false;
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  function draw() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      paint();
      paintStrip();
    });
  }
  function resize(c) {
    const ratio = window.devicePixelRatio || 1, w = c.clientWidth, h = c.clientHeight;
    if (c.width !== Math.round(w * ratio) || c.height !== Math.round(h * ratio)) {
      c.width = Math.round(w * ratio);
      c.height = Math.round(h * ratio);
    }
    const g = c.getContext('2d');
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, w, h);
    return {w, h};
  }
  // An edge against the flow leaves and enters at the side.
  const against = e => items[e.a].y > items[e.b].y && !e.bends?.length;
  const swing = e => {
    const a = items[e.a], b = items[e.b], x = Math.max(a.x + a.w / 2, b.x + b.w / 2);
    return x + 18 + Math.min(90, (a.y - b.y) / 5);
  };
  function trace(e) {
    const a = items[e.a], b = items[e.b], down = a.y <= b.y;
    let x = a.x, y = a.y + (down ? a.h : -a.h) / 2;
    if (against(e)) {
      const far = swing(e);
      context.moveTo(a.x + a.w / 2, a.y);
      context.bezierCurveTo(far, a.y, far, b.y, b.x + b.w / 2 + 4, b.y);
      return;
    }
    const curve = (nx, ny) => {
      const pull = (ny - y) / 2;
      context.bezierCurveTo(x, y + pull, nx, ny - pull, nx, ny);
      x = nx;
      y = ny;
    };
    context.moveTo(x, y);
    if (e.bends) for (let k = 0; k < e.bends.length; k += 2) curve(e.bends[k], e.bends[k + 1]);
    curve(b.x, b.y + (down ? -b.h : b.h) / 2);
  }
  function paint() {
    size = resize(canvas);
    const k = camera.k, accent = css('--accent'), ink = css('--ink'), soft = css('--soft');
    context.translate(camera.x, camera.y);
    context.scale(k, k);
    const box = {l: -camera.x / k, t: -camera.y / k, r: (size.w - camera.x) / k, b: (size.h - camera.y) / k};
    const seen = it => it.x + it.w / 2 > box.l && it.x - it.w / 2 < box.r && it.y + it.h / 2 > box.t && it.y - it.h / 2 < box.b;
    const chosenItems = new Set([...state.chosen].map(i => rep[i]));
    if (state.focus && state.focus.group != null) items.forEach((it, n) => { if (it.group === state.focus.group) chosenItems.add(n); });
    const some = chosenItems.size > 0;
    // Open groups first, then edges over them, then what is inside.
    items.forEach((it, n) => { if (it.opened && seen(it)) paintOpen(it, ink, soft, k, chosenItems.has(n) ? accent : null); });
    const plain = new Path(), into = [], outof = [];
    for (const e of edges) {
      const a = items[e.a], b = items[e.b];
      if (Math.max(a.x + a.w, b.x + b.w) < box.l || Math.min(a.x - a.w, b.x - b.w) > box.r) continue;
      if (Math.max(a.y + a.h, b.y + b.h) < box.t || Math.min(a.y - a.h, b.y - b.h) > box.b) continue;
      if (chosenItems.has(e.b)) into.push(e);
      else if (chosenItems.has(e.a)) outof.push(e);
      else plain.add(e);
    }
    context.globalAlpha = some ? 0.35 : plain.count > 4000 && k < 0.3 ? 0.35 : 1;
    context.strokeStyle = css('--edge');
    plain.stroke(k);
    context.globalAlpha = 1;
    for (const [list, colour] of [[into, css('--into')], [outof, css('--outof')]]) {
      context.strokeStyle = context.fillStyle = colour;
      context.lineWidth = Math.max(1.6, 1.2 / k);
      context.beginPath();
      for (const e of list) trace(e);
      context.stroke();
      if (k > 0.3) for (const e of list) head(e);
    }
    if (k > 0.45 && edges.length < 20000) {
      context.fillStyle = soft;
      for (const e of plain.list) head(e);
      context.font = `${DETAIL}px ${MONO}`;
      context.textAlign = 'left';
      context.strokeStyle = css('--ground');
      for (const e of edges) {
        if (e.n < 2) continue;
        const a = items[e.a], b = items[e.b], text = '×' + thousands(e.n);
        let x, y;
        if (against(e)) {
          x = (swing(e) * 3 + (a.x + a.w / 2 + b.x + b.w / 2) / 2) / 4 + 4;
          y = (a.y + b.y) / 2 + 3;
        } else if (e.bends?.length) {
          const k = e.bends.length >> 2 << 1;
          x = e.bends[k] + 5;
          y = e.bends[k + 1] + 3;
        } else {
          x = (a.x + b.x) / 2 + 6;
          y = (a.y + b.y) / 2 + (a.h - b.h) / 4 + 3;
        }
        context.lineWidth = 3;
        context.strokeText(text, x, y);
        context.fillText(text, x, y);
      }
    }
    const matches = new Set(state.matches.map(i => rep[i]));
    items.forEach((it, n) => {
      if (it.opened || !seen(it)) return;
      context.globalAlpha = state.matches.length && !matches.has(n) && !chosenItems.has(n) ? 0.3 : 1;
      paintItem(it, k, ink, chosenItems.has(n) ? accent : matches.has(n) ? css('--into') : null);
    });
    context.globalAlpha = 1;
  }
  class Path {
    constructor() { this.list = []; }
    add(e) { this.list.push(e); }
    get count() { return this.list.length; }
    stroke(k) {
      context.lineWidth = Math.max(1, 0.7 / k);
      context.beginPath();
      for (const e of this.list) if (e.n < 20) trace(e);
      context.stroke();
      for (const e of this.list) {
        if (e.n < 20) continue;
        context.lineWidth = Math.max(1, 0.7 / k) * Math.min(5, Math.log10(e.n));
        context.beginPath();
        trace(e);
        context.stroke();
      }
    }
  }
  function head(e) {
    const b = items[e.b], down = items[e.a].y <= b.y;
    if (against(e)) {
      const x = b.x + b.w / 2 + 1;
      context.beginPath();
      context.moveTo(x, b.y);
      context.lineTo(x + 7, b.y - 3.6);
      context.lineTo(x + 7, b.y + 3.6);
      context.fill();
      return;
    }
    const y = b.y + (down ? -b.h : b.h) / 2, d = down ? -6 : 6;
    context.beginPath();
    context.moveTo(b.x, y);
    context.lineTo(b.x - 3.4, y + d);
    context.lineTo(b.x + 3.4, y + d);
    context.fill();
  }
  function rounded(x, y, w, h, r) {
    context.beginPath();
    context.roundRect(x, y, w, h, r);
  }
  function paintOpen(it, ink, soft, k, outline) {
    const g = groupOf(it), x = it.x - it.w / 2, y = it.y - it.h / 2;
    context.fillStyle = css('--paper');
    rounded(x, y, it.w, it.h, 9);
    context.fill();
    context.lineWidth = outline ? 2 : 1;
    context.strokeStyle = outline || css('--line');
    context.stroke();
    if (k < 0.12) return;
    const large = Math.min(6, Math.max(1, 0.55 / k));
    context.textAlign = 'left';
    context.fillStyle = ink;
    context.font = `600 ${TITLE * large}px ${MONO}`;
    context.fillText('− ' + g.title, x + 12, y + 8 + 11 * large);
    const at = context.measureText('− ' + g.title).width;
    context.fillStyle = soft;
    context.font = `${DETAIL * large}px ${MONO}`;
    if (large === 1) context.fillText(g.detail, x + 26 + at, y + 19);
  }
  function paintItem(it, k, ink, outline) {
    const x = it.x - it.w / 2, y = it.y - it.h / 2, g = it.node == null ? groupOf(it) : null, n = g ? null : graph.nodes[it.node];
    context.fillStyle = it.fill;
    if (k < 0.14 && it.node != null) {
      context.fillRect(x, y, it.w, it.h);
      if (outline) {
        context.strokeStyle = outline;
        context.lineWidth = 2.5 / k;
        context.strokeRect(x, y, it.w, it.h);
      }
      return;
    }
    context.strokeStyle = outline || 'rgba(30, 42, 60, .38)';
    context.lineWidth = outline ? Math.max(2.4, 2 / k) : n && n.result ? 2 : 0.9;
    if (g && g.count > 1) {
      rounded(x + 4, y + 4, it.w, it.h, 6);
      context.fill();
      context.stroke();
    }
    rounded(x, y, it.w, it.h, g ? 6 : n.op === 'None' ? 18 : 5);
    context.fill();
    if (n && n.result && !outline) context.strokeStyle = 'rgba(20, 28, 40, .85)';
    context.stroke();
    if (k < 0.28 && !g) return;
    context.textAlign = 'center';
    context.fillStyle = '#1b2430';
    context.font = `600 ${TITLE}px ${MONO}`;
    let line = y + 15;
    const text = t => {
      if (t) context.fillText(t, it.x, line);
      line += 14;
      context.font = `${DETAIL}px ${MONO}`;
      context.fillStyle = 'rgba(27, 36, 48, .78)';
    };
    if (g) {
      text((g.inner && g.count > 1 ? '+ ' : '') + g.title);
      if (g.detail) text(clip(g.detail, 48));
      text(g.note);
    } else {
      text(n.op === 'None' ? n.kind : n.op);
      text(clip(n.name, 18) + ': ' + clip(n.type, 26));
    }
  }
  const clip = (t, n) => [...t].length > n ? [...t].slice(0, n).join('') + '…' : t;

  // ---- the memory strip ----
  const strip = $('strip');
  function paintStrip() {
    const {w, h} = resize(strip), g = strip.getContext('2d'), live = stage.live, most = graph.totals.peak_bytes || 1;
    if (!live.length) return;
    g.fillStyle = css('--fill');
    g.strokeStyle = css('--accent');
    g.beginPath();
    g.moveTo(0, h);
    live.forEach((v, i) => {
      const x = i / live.length * w, y = h - v / most * (h - 4);
      g.lineTo(x, y);
      g.lineTo((i + 1) / live.length * w, y);
    });
    g.lineTo(w, h);
    g.fill();
    g.lineWidth = 1;
    g.stroke();
    const perNode = w / Math.max(1, graph.totals.nodes);
    g.fillStyle = css('--into');
    for (const i of state.chosen) g.fillRect(i * perNode, 0, Math.max(1.5, Math.min(3, perNode)), h);
    const f = state.focus && state.focus.node != null ? state.focus.node : null;
    $('memory-value').textContent = f == null ? `peak ${bytes(graph.totals.peak_bytes)} · ${thousands(graph.totals.nodes)} steps`
                                              : `${bytes(graph.nodes[f].live)} after step ${thousands(f + 1)}`;
  }
  strip.addEventListener('click', event => {
    if (!whole()) return;
    const i = Math.min(graph.nodes.length - 1, Math.floor(event.offsetX / strip.clientWidth * graph.nodes.length));
    choose(i, true);
  });

  // ---- choosing ----
  function clearChoice() {
    state.chosen = new Set();
    state.focus = null;
    showDetails();
    markLines();
  }
  function choose(i, go = false) {
    state.chosen = new Set([i]);
    state.focus = {node: i};
    if (go) reveal(i);
    showDetails();
    markLines(true);
    draw();
  }
  function chooseGroup(k) {
    const g = view().groups[k];
    state.chosen = new Set(g.nodes);
    state.focus = {group: k};
    showDetails();
    markLines(true);
    draw();
  }
  function reveal(i) {
    if (state.view !== 'nodes') {
      const k = view().groups.findIndex(g => g.nodes.includes(i));
      if (k >= 0 && !openGroups().has(k)) {
        openGroups().add(k);
        build();
      }
    }
    const it = items[rep[i]];
    if (it) centre(it, Math.max(camera.k, 0.9));
  }
  function centre(it, k) {
    camera.k = k;
    camera.x = size.w / 2 - it.x * k;
    camera.y = size.h / 2 - it.y * k;
    draw();
  }
  function fitItems(list) {
    if (!list.length) return;
    let l = Infinity, t = Infinity, r = -Infinity, b = -Infinity;
    for (const it of list) {
      l = Math.min(l, it.x - it.w / 2);
      r = Math.max(r, it.x + it.w / 2);
      t = Math.min(t, it.y - it.h / 2);
      b = Math.max(b, it.y + it.h / 2);
    }
    // Above the legend.
    const height = size.h - ($('legend').hidden ? 0 : $('legend').offsetHeight + 12);
    camera.k = Math.min(1.25, 0.92 * size.w / Math.max(1, r - l), 0.92 * height / Math.max(1, b - t));
    camera.x = size.w / 2 - (l + r) / 2 * camera.k;
    camera.y = height / 2 - (t + b) / 2 * camera.k;
    draw();
  }
  function fit() {
    size = {w: canvas.clientWidth, h: canvas.clientHeight};
    fitItems(items);
  }
  // A fit that leaves text unreadable shows the beginning instead.
  function open() {
    fit();
    const least = 0.74;
    if (items.length > 1 && items.length < 500 && camera.k < least) {
      camera.k = least;
      camera.x = extent.w * least < size.w ? (size.w - extent.w * least) / 2 : size.w / 2 - items[0].x * least;
      camera.y = 24;
    }
  }
  function toggle(k) {
    const open = openGroups(), g = view().groups[k];
    if (!g.inner) return;
    const before = items.find(it => it.group === k);
    const at = {x: before.x * camera.k + camera.x, y: (before.y - before.h / 2) * camera.k + camera.y};
    if (open.has(k)) open.delete(k);
    else open.add(k);
    build();
    // What was clicked stays under the pointer.
    const after = items.find(it => it.group === k);
    camera.x = at.x - after.x * camera.k;
    camera.y = at.y - (after.y - after.h / 2) * camera.k;
    draw();
  }

  // ---- details and source ----
  function link(i) {
    const a = element('a', graph.nodes[i].name, {tabindex: 0, title: graph.nodes[i].expression});
    a.onclick = () => choose(i, true);
    a.onkeydown = e => { if (e.key === 'Enter') choose(i, true); };
    return a;
  }
  function row(list, term, ...content) {
    const dd = element('dd');
    dd.append(...content);
    list.append(element('dt', term), dd);
  }
  function links(list, most = 24) {
    const shown = list.slice(0, most).map(link);
    if (list.length > most) shown.push(`and ${thousands(list.length - most)} more`);
    return shown;
  }
  function placeLink(s) {
    const p = graph.stacks[s], a = element('a', `${base(graph.files[p.file].name)}:${p.line}`, {tabindex: 0});
    a.onclick = () => scrollTo(p.file, p.line);
    const span = element('span');
    span.append(a, element('span', p.function === '<module>' ? '' : 'in ' + p.function));
    return span;
  }
  const base = name => name.slice(name.lastIndexOf('/') + 1);
  function showDetails() {
    const box = $('details'), list = element('dl');
    box.replaceChildren();
    if (!state.focus) {
      box.append(element('p', whole() ? 'Click a node, a source line or the memory curve. Double-click a group to open it.' : 'Click a group or a source line.', {class: 'hint'}));
      return;
    }
    if (state.focus.node != null) {
      const n = graph.nodes[state.focus.node];
      box.append(element('h2', n.name), element('p', n.expression, {class: 'expression'}), list);
      row(list, 'type', n.type);
      row(list, 'memory', n.bytes < 1024 ? bytes(n.bytes) : `${bytes(n.bytes)} (${thousands(n.bytes)} B)`);
      row(list, 'work', `${thousands(n.flops)} FLOPs, ${bytes(n.traffic)} moved`);
      row(list, 'live after it', bytes(n.live));
      if (n.inputs.length) row(list, 'inputs', ...links(n.inputs));
      if (users[state.focus.node].length) row(list, 'used by', ...links(users[state.focus.node]));
      if (n.result) row(list, '', 'a result');
      for (const s of n.stacks) {
        const chain = [];
        for (let at = s; at != null; at = graph.stacks[at].caller) chain.push(placeLink(at), element('br'));
        row(list, 'made at', ...chain);
      }
    } else if (state.focus.group != null) {
      const g = view().groups[state.focus.group];
      box.append(element('h2', g.title), element('p', g.detail, {class: 'expression'}), list);
      row(list, 'nodes', `${thousands(g.count)}: ${g.note}`);
      row(list, 'work', short(g.flops) + ' FLOPs');
      row(list, 'memory', bytes(g.bytes) + ' in all');
      if (g.inner) {
        const a = element('a', openGroups().has(state.focus.group) ? 'close this group' : 'open this group', {tabindex: 0}), k = state.focus.group;
        a.onclick = () => { toggle(k); showDetails(); };
        row(list, '', a);
      }
    } else {
      const nodes = state.focus.nodes;
      box.append(element('h2', state.focus.title), element('p', state.focus.text, {class: 'expression'}), list);
      row(list, 'nodes', thousands(nodes.length));
      row(list, 'work', short(nodes.reduce((s, i) => s + graph.nodes[i].flops, 0)) + ' FLOPs');
      row(list, 'memory', bytes(nodes.reduce((s, i) => s + graph.nodes[i].bytes, 0)) + ' in all');
      row(list, '', ...links(nodes, 12));
    }
  }
  function showSource() {
    const box = $('source');
    box.replaceChildren();
    const m = measure[state.colour] || measure.flops;
    let most = 0;
    const sums = new Map();
    for (const [key, list] of lineNodes) {
      const sum = state.colour === 'memory' ? Math.max(...list.map(i => graph.nodes[i].live)) : list.reduce((s, i) => s + m.node(graph.nodes[i]), 0);
      sums.set(key, sum);
      most = Math.max(most, sum);
    }
    const byLine = new Map();
    if (!whole()) for (const g of (stage.views.find(v => v.name === 'line') || {groups: []}).groups) byLine.set(g.title, g);
    graph.files.forEach((file, f) => {
      box.append(element('h2', file.name));
      file.text.replace(/\n$/, '').split('\n').forEach((text, k) => {
        const key = f + ':' + (k + 1), list = lineNodes.get(key), group = byLine.get(base(file.name) + ':' + (k + 1));
        const line = element('div', null, {class: 'code', 'data-line': key}), count = element('span', null, {class: 'count'});
        if (list || group) {
          line.classList.add('made');
          line.title = list ? `${thousands(list.length)} nodes, ${m.text(sums.get(key))}` : `${thousands(group.count)} nodes`;
          count.textContent = thousands(list ? list.length : group.count) + ' ';
          const bar = element('b');
          bar.style.background = list ? heatOf(sums.get(key), most) : css('--accent');
          count.append(bar);
          line.onclick = () => list ? chooseLine(f, k + 1) : null;
        }
        line.append(element('span', k + 1, {class: 'number'}), count, element('span', text.replace(/\r$/, '') || ' '));
        box.append(line);
      });
    });
    if (!graph.files.length) box.append(element('p', 'No source lines: nothing was recorded by a script.', {class: 'hint', style: 'padding: 0 16px'}));
  }
  function chooseLine(file, line) {
    const nodes = lineNodes.get(file + ':' + line) || [];
    state.chosen = new Set(nodes);
    state.focus = {nodes, title: `${base(graph.files[file].name)}:${line}`, text: graph.files[file].text.split('\n')[line - 1].trim()};
    showDetails();
    markLines();
    fitItems([...new Set(nodes.map(i => rep[i]))].map(r => items[r]).filter(Boolean));
  }
  function markLines(scroll) {
    for (const line of document.querySelectorAll('.code.chosen')) line.classList.remove('chosen');
    const keys = new Set();
    for (const i of state.chosen) for (const s of graph.nodes[i].stacks) keys.add(graph.stacks[s].file + ':' + graph.stacks[s].line);
    if (keys.size > 200) return;
    let first = null;
    for (const key of keys) {
      const line = document.querySelector(`[data-line="${key}"]`);
      if (!line) continue;
      line.classList.add('chosen');
      first = first || line;
    }
    if (scroll && first) first.scrollIntoView({block: 'nearest'});
  }
  function scrollTo(file, line) {
    const e = document.querySelector(`[data-line="${file}:${line}"]`);
    if (e) e.scrollIntoView({block: 'center'});
    chooseLine(file, line);
  }

  // ---- search ----
  function search() {
    const words = $('search').value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    state.match = -1;
    state.matches = [];
    if (words.length) {
      graph.nodes.forEach((n, i) => {
        const places = n.stacks.map(s => 'line:' + graph.stacks[s].line + ' ' + graph.stacks[s].function).join(' ');
        const text = `${n.name} ${n.op} ${n.kind} ${n.expression} ${n.type} ${places}`.toLowerCase();
        if (words.every(w => /^line:\d+$/.test(w) ? places.split(' ').includes(w) : text.includes(w))) state.matches.push(i);
      });
      // Whole names first.
      state.matches.sort((a, b) => (graph.nodes[b].name.toLowerCase() === words[0]) - (graph.nodes[a].name.toLowerCase() === words[0]) || a - b);
    }
    $('found').textContent = words.length ? thousands(state.matches.length) : '';
    draw();
  }
  function nextMatch(step) {
    if (!state.matches.length) return;
    state.match = (state.match + step + state.matches.length) % state.matches.length;
    $('found').textContent = `${thousands(state.match + 1)}/${thousands(state.matches.length)}`;
    choose(state.matches[state.match], true);
  }
  $('search').addEventListener('input', search);
  $('search').addEventListener('keydown', e => {
    if (e.key === 'Enter') nextMatch(e.shiftKey ? -1 : 1);
    if (e.key === 'Escape') { $('search').value = ''; search(); canvas.focus(); }
  });

  // ---- pointer and keys ----
  function hit(px, py) {
    const x = (px - camera.x) / camera.k, y = (py - camera.y) / camera.k;
    for (let n = items.length; n-- > 0;) {
      const it = items[n], top = it.y - it.h / 2;
      if (Math.abs(x - it.x) > it.w / 2 || y < top || y > it.y + it.h / 2) continue;
      if (it.opened && y > top + HEADER) return null;  // the ground inside an open group
      return it;
    }
    return null;
  }
  function zoom(factor, px = size.w / 2, py = size.h / 2) {
    const k = Math.min(4, Math.max(0.004, camera.k * factor));
    camera.x = px - (px - camera.x) * k / camera.k;
    camera.y = py - (py - camera.y) * k / camera.k;
    camera.k = k;
    draw();
  }
  canvas.addEventListener('wheel', e => {
    e.preventDefault();
    if (e.shiftKey) { camera.x -= e.deltaY; draw(); return; }
    zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0016)), e.offsetX, e.offsetY);
  }, {passive: false});
  const pointers = new Map();
  let moved = 0;
  canvas.addEventListener('pointerdown', e => {
    canvas.setPointerCapture(e.pointerId);
    pointers.set(e.pointerId, {x: e.offsetX, y: e.offsetY});
    moved = 0;
  });
  canvas.addEventListener('pointermove', e => {
    const last = pointers.get(e.pointerId);
    if (!last) { hover(e.offsetX, e.offsetY); return; }
    const now = {x: e.offsetX, y: e.offsetY};
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== e.pointerId)[1];
      const d = p => Math.hypot(p.x - other.x, p.y - other.y) || 1;
      zoom(d(now) / d(last), (now.x + other.x) / 2, (now.y + other.y) / 2);
    } else {
      camera.x += now.x - last.x;
      camera.y += now.y - last.y;
      draw();
    }
    moved += Math.abs(now.x - last.x) + Math.abs(now.y - last.y);
    if (moved > 4) canvas.classList.add('dragging');
    pointers.set(e.pointerId, now);
    $('tip').hidden = true;
  });
  canvas.addEventListener('pointerup', e => {
    pointers.delete(e.pointerId);
    canvas.classList.remove('dragging');
    if (moved > 4) return;
    const it = hit(e.offsetX, e.offsetY);
    if (!it) { clearChoice(); draw(); return; }
    if (it.node != null) choose(it.node);
    else chooseGroup(it.group);
  });
  canvas.addEventListener('pointercancel', e => pointers.delete(e.pointerId));
  canvas.addEventListener('pointerleave', () => { $('tip').hidden = true; });
  canvas.addEventListener('dblclick', e => {
    const it = hit(e.offsetX, e.offsetY);
    if (it && it.group != null) toggle(it.group);
    else if (!it) zoom(1.6, e.offsetX, e.offsetY);
  });
  function hover(px, py) {
    const it = hit(px, py), tip = $('tip');
    canvas.classList.toggle('over', !!it);
    tip.hidden = !it;
    if (!it) return;
    if (it.node != null) {
      const n = graph.nodes[it.node];
      const at = n.stacks.length ? `\n${base(graph.files[graph.stacks[n.stacks[0]].file].name)}:${graph.stacks[n.stacks[0]].line}` : '';
      tip.textContent = `${n.name} = ${clip(n.expression, 240)}\n${n.type} · ${bytes(n.bytes)} · ${short(n.flops)} FLOPs · live ${bytes(n.live)}${at}`;
    } else {
      const g = groupOf(it);
      tip.textContent = `${g.title}${g.detail ? '\n' + g.detail : ''}\n${thousands(g.count)} nodes · ${short(g.flops)} FLOPs · ${bytes(g.bytes)} in all`;
    }
    tip.style.left = Math.min(px + 16, Math.max(8, size.w - tip.offsetWidth - 8)) + 'px';
    tip.style.top = (py + 22 + tip.offsetHeight > size.h ? py - tip.offsetHeight - 10 : py + 20) + 'px';
  }
  document.addEventListener('keydown', e => {
    if (e.target.matches('input')) return;
    if (e.key === '/') { e.preventDefault(); $('search').focus(); }
    else if (e.key === 'f') fit();
    else if (e.key === '+' || e.key === '=') zoom(1.3);
    else if (e.key === '-') zoom(1 / 1.3);
    else if (e.key === 'n') nextMatch(1);
    else if (e.key === 'Escape') { clearChoice(); draw(); }
  });
  $('fit').onclick = fit;
  $('in').onclick = () => zoom(1.3);
  $('out').onclick = () => zoom(1 / 1.3);
  $('collapse').onclick = () => { openGroups().clear(); build(); fit(); };
  $('expand').onclick = () => { view().groups.forEach((g, k) => g.inner && openGroups().add(k)); build(); fit(); };

  // ---- switches ----
  function choices(box, list, current, use) {
    for (const [value, label, disabled] of list) {
      const b = element('button', label, {type: 'button', 'data-value': value});
      b.disabled = !!disabled;
      b.onclick = () => use(value);
      $(box).append(b);
    }
    return () => { for (const b of $(box).querySelectorAll('button')) b.setAttribute('aria-pressed', b.dataset.value === String(current())); };
  }
  const showStage = choices('stages', data.stages.map((s, i) => [i, s.name]), () => state.stage, v => { useStage(+v); setView(state.view); });
  const views = [['nodes', 'Nothing', data.stages.some(s => !s.flat)], ['line', 'Line'], ['function', 'Function'], ['operation', 'Operation']];
  const showView = choices('views', views, () => state.view, v => setView(v));
  const colours = [['operation', 'Operation'], ['flops', 'FLOPs'], ['bytes', 'Bytes'], ['memory', 'Live memory']];
  const showColour = choices('colours', colours, () => state.colour, v => { state.colour = v; colourItems(); showSource(); markLines(); showColour(); draw(); });
  function setView(name) {
    state.view = name;
    if (state.focus && state.focus.group != null) clearChoice();
    const grouped = name !== 'nodes';
    $('collapse').disabled = $('expand').disabled = !grouped || !whole();
    showStage();
    showView();
    showColour();
    build();
    open();
  }

  useStage(0);
  setView(data.view);
  new ResizeObserver(draw).observe(canvas);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  window.autoray = {
    state, data, camera, toggle, choose, chooseLine, search: text => { $('search').value = text; search(); nextMatch(1); },
    items: () => items, edges: () => edges, setView, useStage: i => { useStage(i); setView(state.view); }, fit, paint,
  };
})();
