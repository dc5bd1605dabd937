// THREAD: any - rows of text: aligned under a heading on a terminal, else one tab-separated line a row
#pragma once

#include <string>
#include <vector>

namespace continuo::cli {

class Table {
 public:
  /// A heading that begins with '>' names a column of numbers, set to the right.
  explicit Table(std::vector<std::string> headings);
  void add(std::vector<std::string> cells);
  /// `pretty`: aligned, with the heading. Else: cells joined by tabs, no heading.
  [[nodiscard]] std::string text(bool pretty, bool colour) const;
  /// To stdout, as stdout likes it.
  void print() const;
  [[nodiscard]] bool empty() const { return rows_.empty(); }

 private:
  std::vector<std::string> headings_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace continuo::cli
