// SPDX-License-Identifier: Apache-2.0
#include "apps/report/page.h"

#include <kainjow/mustache.hpp>
#include <stdexcept>

#include "apps/report/figure.h"

namespace spinetherm {
namespace {

// {{text}} is escaped by mustache, {{{markup}}} is not.
constexpr const char* kTemplate = R"html(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{#mark}}{{mark}}: {{/mark}}{{title}} - SpineTherm</title>
<style>
:root{--ink:#1c2430;--soft:#5b6675;--line:#d9dee6;--paper:#fff;--tint:#f4f6f9}
*{box-sizing:border-box}
body{margin:0;background:var(--tint);color:var(--ink);font:15px/1.5 system-ui,"DejaVu Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:0 20px 40px}
.banner{background:#7a1020;color:#fff;text-align:center;padding:6px 12px;font-weight:600}
.mark{background:#ffb000;color:#1c2430;border-radius:5px;padding:0 8px}
h1{font-size:26px;margin:22px 0 0}h2{font-size:18px;margin:0 0 10px}
.subtitle{color:var(--soft);margin:0 0 16px}
section,.summary{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:16px 18px;margin:14px 0}
details>summary{cursor:pointer;font-size:18px;font-weight:600}
table{border-collapse:collapse;width:100%;font-size:13px}
.wide{overflow-x:auto}
th{text-align:left;border-bottom:2px solid var(--line);padding:5px 8px;vertical-align:bottom}
td{border-bottom:1px solid var(--line);padding:5px 8px;vertical-align:top}
.facts td:first-child{color:var(--soft);width:30%}
.badge{display:inline-block;border-radius:5px;padding:1px 8px;font-weight:600;color:#fff;white-space:nowrap}
.within_limits,.proceed{background:#2e7d4f}.caution,.proceed_with{background:#b26a00}
.unknown{background:#6a4fa3}.unsafe,.refer{background:#b3001b}
.verdict .badge{font-size:20px;padding:4px 14px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:12px}
.figures svg{width:100%;height:auto;border-radius:4px;background:#101010}
.chart{display:grid;grid-template-columns:repeat(auto-fit,minmax(480px,1fr));gap:8px}.chart svg{max-width:720px;width:100%;height:auto}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:13px;margin:10px 0 0}
.legend span{display:inline-flex;align-items:center;gap:6px}
.legend svg{background:#333;border-radius:2px}
.note{color:var(--soft);font-size:13px}
ul{margin:6px 0 6px 20px;padding:0}
footer{color:var(--soft);font-size:12px;margin:20px 0 0;overflow-wrap:anywhere}
@media print{body{background:#fff}section,.summary{break-inside:avoid}.banner{position:running(banner)}}
</style></head><body>
<div class="banner">{{#mark}}{{mark}} images, not of a patient. {{/mark}}{{banner}}</div>
<main>
<h1>{{#mark}}<span class="mark">{{mark}}</span> {{/mark}}{{title}}</h1><p class="subtitle">{{subtitle}}</p>
<div class="summary">{{{summary}}}</div>
{{#sections}}{{#open}}<section><h2>{{name}}</h2>{{{html}}}</section>
{{/open}}{{#folded}}<section><details><summary>{{name}}</summary>{{{html}}}</details></section>
{{/folded}}{{/sections}}<footer>{{footer}}</footer>
</main>
<div class="banner">{{#mark}}{{mark}} images, not of a patient. {{/mark}}{{banner}}</div>
</body></html>
)html";

/// Verdicts of a plan and of eligibility.
bool is_verdict_word(const std::string& text) {
  for (std::string_view word :
       {"within_limits", "caution", "unknown", "unsafe", "refer", "proceed", "proceed_with"})
    if (text == word) return true;
  return false;
}

std::string words(std::string_view verdict) {
  std::string out(verdict);
  for (char& c : out)
    if (c == '_') c = ' ';
  return out;
}

}  // namespace

std::string badge_html(std::string_view word, std::string_view text) {
  return "<span class=\"badge " + escape_html(std::string(word)) + "\">" + escape_html(std::string(text)) +
         "</span>";
}

std::string table_html(const Table& table) {
  std::string out = "<div class=\"wide\"><table><thead><tr>";
  for (const auto& cell : table.header) out += "<th>" + escape_html(cell) + "</th>";
  out += "</tr></thead><tbody>";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t n = 0; n < row.size(); ++n) {
      const bool badge = n < table.header.size() && table.header[n] == "verdict" && is_verdict_word(row[n]);
      out += "<td>" + (badge ? badge_html(row[n], words(row[n])) : escape_html(row[n])) + "</td>";
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

std::string facts_html(const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string out = "<table class=\"facts\"><tbody>";
  for (const auto& [what, value] : facts)
    out +=
        "<tr><td>" + escape_html(what) + "</td><td>" +
        (what == "verdict" && is_verdict_word(value) ? badge_html(value, words(value)) : escape_html(value)) +
        "</td></tr>";
  return out + "</tbody></table>";
}

std::string list_html(const std::vector<std::string>& items) {
  if (items.empty()) return {};
  std::string out = "<ul>";
  for (const auto& item : items) out += "<li>" + escape_html(item) + "</li>";
  return out + "</ul>";
}

std::string page_html(const Page& page) {
  using kainjow::mustache::data;
  data sections{data::type::list};
  for (const Section& s : page.sections) {
    data row;
    row.set("name", s.title);
    row.set("html", s.html);
    row.set("open", s.folded ? data::type::bool_false : data::type::bool_true);
    row.set("folded", s.folded ? data::type::bool_true : data::type::bool_false);
    sections << row;
  }
  data all;
  all.set("title", page.title);
  if (page.mark.empty())
    all.set("mark", data::type::bool_false);
  else
    all.set("mark", page.mark);
  all.set("subtitle", page.subtitle);
  all.set("banner", std::string(kBanner));
  all.set("summary", page.summary_html);
  all.set("sections", sections);
  all.set("footer", page.footer);
  kainjow::mustache::mustache engine{kTemplate};
  if (!engine.is_valid()) throw std::logic_error("report template: " + engine.error_message());
  return engine.render(all);
}

}  // namespace spinetherm
