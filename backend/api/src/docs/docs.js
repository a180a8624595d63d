// Renders the OpenAPI document as a page: operations by tag, with parameters, bodies and answers.
'use strict';

const make = (tag, text, className) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};

const example = (schema, all, depth = 0) => {
  if (!schema || depth > 8) return null;
  if (schema.$ref) return example(all[schema.$ref.split('/').pop()], all, depth + 1);
  if (schema.enum) return schema.enum.join(' | ');
  const options = schema.oneOf || schema.anyOf;
  if (options) return example(options.find((o) => o.type !== 'null') || options[0], all, depth + 1);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => example(part, all, depth + 1)));
  const type = Array.isArray(schema.type) ? schema.type.find((t) => t !== 'null') : schema.type;
  if (type === 'array') return [example(schema.items, all, depth + 1)];
  if (type === 'object' || schema.properties) {
    const entries = Object.entries(schema.properties || {}).map(([key, value]) => {
      const optional = (schema.required || []).includes(key) ? '' : '?';
      return [key + optional, example(value, all, depth + 1)];
    });
    return Object.fromEntries(entries);
  }
  return schema.format ? `${type} (${schema.format})` : type || 'any';
};

const body = (title, content, all) => {
  const box = make('div');
  for (const [type, media] of Object.entries(content || {})) {
    box.append(make('p', `${title} ${type}`));
    if (media.schema) box.append(make('pre', JSON.stringify(example(media.schema, all), null, 2)));
  }
  return box;
};

const operation = (path, method, what, all) => {
  const details = make('details');
  details.dataset.text = `${path} ${method} ${what.operationId} ${what.summary || ''}`.toLowerCase();
  const summary = make('summary');
  summary.append(make('span', method.toUpperCase(), 'method'), make('code', path), make('span', ` ${what.summary || ''}`));
  details.append(summary);
  details.addEventListener('toggle', () => {
    if (!details.open || details.dataset.done) return;
    details.dataset.done = 'yes';
    if (what.description) details.append(make('p', what.description));
    if (what.parameters && what.parameters.length) {
      const table = make('table');
      for (const parameter of what.parameters) {
        const row = make('tr');
        row.append(make('td', `${parameter.name}${parameter.required ? '' : '?'}`), make('td', parameter.in), make('td', parameter.description || ''));
        table.append(row);
      }
      details.append(table);
    }
    if (what.requestBody) details.append(body('Body', what.requestBody.content, all));
    for (const [status, response] of Object.entries(what.responses || {})) {
      details.append(make('h4', `${status} ${response.description || ''}`));
      if (status.startsWith('2')) details.append(body('Answer', response.content, all));
    }
  });
  return details;
};

const show = (spec) => {
  document.getElementById('title').textContent = spec.info.title;
  document.getElementById('about').textContent = spec.info.description || '';
  const main = document.getElementById('operations');
  const all = (spec.components && spec.components.schemas) || {};
  for (const tag of spec.tags || []) {
    const section = make('section');
    section.append(make('h2', tag.name), make('p', tag.description || ''));
    for (const [path, item] of Object.entries(spec.paths)) {
      for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
        if (item[method] && (item[method].tags || []).includes(tag.name)) section.append(operation(path, method, item[method], all));
      }
    }
    main.append(section);
  }
  document.getElementById('filter').addEventListener('input', (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const details of document.querySelectorAll('details')) details.hidden = !details.dataset.text.includes(wanted);
  });
};

fetch('/api/openapi.json')
  .then((answer) => answer.json())
  .then(show, (error) => {
    document.getElementById('about').textContent = `The document could not be loaded: ${error}`;
  });
