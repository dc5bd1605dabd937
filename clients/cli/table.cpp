#include "clients/cli/table.hpp"

#include <algorithm>

#include "clients/cli/output.hpp"

namespace continuo::cli {

Table::Table(std::vector<std::string> headings) : headings_(std::move(headings)) {
  for (std::string& heading : headings_) {
    const bool right = heading.starts_with('>');
    if (right) heading.erase(0, 1);
    right_.push_back(right);
  }
}

void Table::add(std::vector<std::string> cells) {
  cells.resize(headings_.size());
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text(bool pretty, bool colour) const {
  std::string out;
  if (!pretty) {
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) out += (i == 0 ? "" : "\t") + row[i];
      out += '\n';
    }
    return out;
  }
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < headings_.size(); ++i) {
    std::size_t width = text_width(headings_[i]);
    for (const auto& row : rows_) width = std::max(width, text_width(row[i]));
    widths.push_back(width);
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string gap(widths[i] - text_width(cells[i]), ' ');
      if (i != 0) text += "  ";
      text += right_[i] ? gap + cells[i] : cells[i] + gap;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  const std::string heading = line(headings_);
  if (!heading.empty()) out += (colour ? "\x1b[1m" + heading + "\x1b[0m" : heading) + "\n";
  for (const auto& row : rows_) out += line(row) + "\n";
  return out;
}

void Table::print() const { print_raw(text(on_terminal(), wants_colour())); }

}  // namespace continuo::cli
