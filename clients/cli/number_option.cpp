#include "clients/cli/number_option.hpp"

#include <charconv>
#include <string>

#include "clients/cli/value_text.hpp"

namespace continuo::cli {

CLI::Validator number_from(double least, double most) {
  const bool bounded = least > std::numeric_limits<double>::lowest() || most < std::numeric_limits<double>::max();
  const std::string bounds = bounded ? number_text(least) + " to " + number_text(most) : "";
  return {[=](std::string& text) {
            double value = 0.0;
            // What is no number compares with nothing.
            if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most) return std::string();
            return "'" + text + "' is no " + (bounded ? "number from " + bounds : "finite number");
          },
          bounds};
}

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  return {[least, most](std::string& text) {
            std::uint64_t value = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            if (error == std::errc() && end == text.data() + text.size() && value >= least && value <= most)
              return std::string();
            return "'" + text + "' is no whole number from " + std::to_string(least) + " to " + std::to_string(most);
          },
          ""};
}

}  // namespace continuo::cli
