"""Random constrained fusions with their solutions: python constrained.py > constrained.json

Vertices have stalks of dimension 2, edges of dimension 1 with random maps. The unknowns are the values of the vertices;
the cost is half of the sum of (x - y)^2 / variance over the readings and, in the agreement model, half of the sum of
weight * (F_u x_u - F_v x_v)^2 over the edges; in the section model F_u x_u = F_v x_v. Solved by scipy's SLSQP, the
active set then solved as a linear system and its multipliers and slacks checked.
"""
import json
import sys

import numpy as np
import scipy
from scipy.optimize import minimize


def problem(g, number):
    n = int(g.integers(2, 6))
    edges = [[int(g.integers(0, v)), v] for v in range(1, n)]
    edges += [sorted(g.choice(n, 2, replace=False).tolist()) for _ in range(int(g.integers(0, 3)))]
    if n == 2:
        edges = edges[:1]
    maps = [np.round(g.normal(size=(2, 2)), 3) for _ in edges]
    weights = np.round(g.uniform(0.5, 3, len(edges)), 2)
    section = number % 2 == 0
    dimension = 2 * n
    rows, right = [], []
    readings = []
    for v in range(n):
        if g.random() < 0.2 and v > 0 and not section:
            continue
        y, variance = np.round(g.normal(size=2), 3), round(float(g.uniform(0.2, 2)), 2)
        readings.append({"cell": v, "value": y.tolist(), "variance": variance})
        for k in range(2):
            row = np.zeros(dimension)
            row[2 * v + k] = 1
            rows.append(row / np.sqrt(variance))
            right.append(y[k] / np.sqrt(variance))
    equal, equal_values = [], []
    for (u, v), f, w in zip(edges, maps, weights):
        row = np.zeros(dimension)
        row[2 * u:2 * u + 2] += f[0]
        row[2 * v:2 * v + 2] -= f[1]
        if section:
            equal.append(row)
            equal_values.append(0.0)
        else:
            rows.append(row * np.sqrt(w))
            right.append(0.0)
    sections = len(equal)
    # A little of everything keeps the solution unique.
    a, b = np.array(rows), np.array(right)
    null = np.eye(dimension)
    if sections:
        _, s, vt = np.linalg.svd(np.array(equal))
        null = vt[int((s > 1e-9).sum()):].T
    if null.shape[1] < 2 or np.linalg.matrix_rank(a @ null, 1e-6) < null.shape[1]:
        return None
    inside = null @ g.normal(size=null.shape[1])
    constraints = []
    count = int(g.integers(1, 2 * n))
    for k in range(count):
        relation = str(g.choice(["=", "<=", ">="], p=[0.2, 0.4, 0.4]))
        terms = {}
        row = np.zeros(dimension)
        if section and g.random() < 0.3:
            e = int(g.integers(0, len(edges)))
            c = round(float(g.uniform(0.5, 2)), 2)
            terms[n + e] = [c]
            u = edges[e][0]
            row[2 * u:2 * u + 2] += c * maps[e][0]
        else:
            for v in g.choice(n, int(g.integers(1, min(n, 2) + 1)), replace=False).tolist():
                c = np.round(g.normal(size=2), 2)
                terms[v] = c.tolist()
                row[2 * v:2 * v + 2] += c
        if relation == "=" and sum(c["relation"] == "=" for c in constraints) >= null.shape[1] - 1:
            relation = "<="
        # All hold at one section, some by a margin.
        margin = 0 if relation == "=" else float(abs(g.normal())) * 0.3
        value = float(row @ inside) + (margin if relation == "<=" else -margin)
        constraints.append({"name": f"c{k}", "relation": relation, "terms": terms, "value": value, "row": row})
    less, less_values, names = [], [], []
    for c in constraints:
        if c["relation"] == "=":
            equal.append(c["row"])
            equal_values.append(c["value"])
        else:
            s = 1 if c["relation"] == "<=" else -1
            less.append(s * c["row"])
            less_values.append(s * c["value"])
            names.append(c["name"])
    e, ev = np.array(equal).reshape(-1, dimension), np.array(equal_values)
    l, lv = np.array(less).reshape(-1, dimension), np.array(less_values)
    # Without rows that follow from others, which stop SLSQP.
    kept = []
    for i in range(len(e)):
        if np.linalg.matrix_rank(e[kept + [i]], 1e-9) == len(kept) + 1:
            kept.append(i)
    e, ev = e[kept], ev[kept]
    cost = lambda x: 0.5 * float(np.sum((a @ x - b) ** 2))
    found = minimize(
        cost, inside, jac=lambda x: a.T @ (a @ x - b), method="SLSQP",
        constraints=([{"type": "eq", "fun": lambda x: e @ x - ev, "jac": lambda x: e}] if len(e) else [])
        + ([{"type": "ineq", "fun": lambda x: lv - l @ x, "jac": lambda x: -l}] if len(l) else []),
        options={"ftol": 1e-15, "maxiter": 1000})
    slack = lv - l @ found.x
    active = [i for i in range(len(l)) if slack[i] < 1e-6]
    c = np.vstack([e, l[active]])
    h = a.T @ a
    kkt = np.block([[h, c.T], [c, np.zeros((len(c), len(c)))]])
    solved = np.linalg.lstsq(kkt, np.concatenate([a.T @ b, ev, lv[active]]), rcond=1e-12)[0]
    x, multipliers = solved[:dimension], solved[dimension + len(e):]
    clear = all(m > 1e-4 for m in multipliers) and all(
        s > 1e-4 for i, s in enumerate(lv - l @ x) if i not in active)
    if not clear or abs(cost(x) - found.fun) > 1e-6 * max(1, found.fun):
        return None
    if np.linalg.matrix_rank(c, 1e-6) < len(c):
        return None
    return {
        "model": "section" if section else "agreement", "vertices": n, "edges": edges,
        "maps": [f.tolist() for f in maps], "weights": weights.tolist(), "readings": readings,
        "constraints": [
            {"name": c["name"], "relation": c["relation"], "value": c["value"],
             "terms": [{"cell": k, "factors": v} for k, v in c["terms"].items()]} for c in constraints],
        "active": sorted([c["name"] for c in constraints if c["relation"] == "="] + [names[i] for i in active]),
        "solution": [float(f"{v:.12g}") for v in x], "cost": cost(x)}


g = np.random.default_rng(2026)
cases = []
number = 0
while len(cases) < 100:
    found = problem(g, len(cases))
    if found:
        cases.append(found)
origin = f"constrained.py with scipy {scipy.__version__} and numpy {np.__version__}"
json.dump({"origin": origin, "cases": cases}, sys.stdout, separators=(",", ":"))
