// THREAD: any - what goes to the terminal: safe text, colours where they belong, JSON lines
#pragma once

#include <string>
#include <string_view>

namespace google::protobuf {
class Message;
}

namespace continuo::cli {

/// stdout is a terminal (then: tables, headings, colours).
[[nodiscard]] bool on_terminal();
/// A terminal that wants colours: not with NO_COLOR set, nor TERM=dumb.
[[nodiscard]] bool wants_colour();
/// The terminal's locale shows UTF-8.
[[nodiscard]] bool shows_utf8();

struct TerminalSize {
  int columns = 80;
  int rows = 24;
};
[[nodiscard]] TerminalSize terminal_size();

/// `text` with control characters (line ends, escape sequences of a foreign label) replaced: it cannot steer a
/// terminal.
[[nodiscard]] std::string printable(std::string_view text);
/// What a message may carry as text.
[[nodiscard]] bool is_utf8(std::string_view text);
/// How many columns it takes, taken as one a code point.
[[nodiscard]] std::size_t text_width(std::string_view utf8);
/// Cut, or filled with spaces at the end, to exactly `width`.
[[nodiscard]] std::string fit(std::string_view utf8, std::size_t width);

[[nodiscard]] std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

/// One line of JSON: fields named as in the proto, zeros included, maps in order.
[[nodiscard]] std::string to_json_line(const google::protobuf::Message& message);
/// The same, indented, defaults left out: for files.
[[nodiscard]] std::string to_json_text(const google::protobuf::Message& message);
/// Valid JSON without the white space between its parts.
[[nodiscard]] std::string compact_json(std::string_view json);
/// `text` as a JSON string, quotes included.
[[nodiscard]] std::string json_string(std::string_view text);

/// Writes `text` and a line end to stdout. EX_IOERR where that fails (a full disk behind a redirection).
void print_line(std::string_view text);
/// Writes as it is.
void print_raw(std::string_view text);
void flush_output();

/// A note for people, on stderr: "continuo: ...".
void note(std::string_view text);

}  // namespace continuo::cli
