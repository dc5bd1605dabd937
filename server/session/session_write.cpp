#include <algorithm>

#include "server/session/cue.hpp"
#include "server/session/json_writer.hpp"
#include "server/session/session_file.hpp"

namespace continuo::session {
namespace {

class Writer {
 public:
  std::string print(const Document& document) {
    text_ = "{";
    ++depth_;
    key("format");
    text_ += std::to_string(kSessionFormat);
    if (!document.name.empty()) {
      key("name");
      text_ += json_string(document.name);
    }
    if (document.sample_rate_hz != 0) {
      key("sample_rate_hz");
      text_ += std::to_string(document.sample_rate_hz);
    }
    write_nodes("nodes", document.nodes);
    if (!document.connections.empty()) {
      key("connections");
      open('[');
      for (const DocConnection& connection : document.connections) {
        item();
        write(connection);
      }
      close(']');
    }
    if (!document.cues.empty()) {
      key("cues");
      open('[');
      for (const DocCue& cue : document.cues) {
        item();
        write(cue);
      }
      close(']');
    }
    close('}');
    return std::move(text_) + "\n";
  }

 private:
  // The device's own nodes go without saying.
  [[nodiscard]] static bool implied(const DocNode& node, bool root) {
    return root && (node.id == "in" || node.id == "out") && node.label.empty() && node.params.empty() &&
           node.lanes.empty();
  }

  void write_nodes(const char* name, const NodeList& nodes) {
    const bool root = depth_ == 1;
    if (std::all_of(nodes.begin(), nodes.end(), [&](const DocNode& node) { return implied(node, root); })) return;
    key(name);
    open('[');
    for (const DocNode& node : nodes) {
      if (implied(node, root)) continue;
      item();
      write(node);
    }
    close(']');
  }

  void write(const DocNode& node) {
    open('{');
    key("id");
    text_ += json_string(node.id);
    if (!node.label.empty()) {
      key("label");
      text_ += json_string(node.label);
    }
    key("type");
    text_ += json_string(node.type);
    if (!node.params.empty()) {
      key("params");
      text_ += "{";
      for (const auto& [name, value] : node.params) {
        if (text_.back() != '{') text_ += ", ";
        text_ += json_string(name) + ": " + json_value(value);
      }
      text_ += "}";
    }
    if (!node.lanes.empty()) write(node.lanes);
    if (!node.queue.empty()) {
      key("queue");
      open('[');
      for (const QueueItem& each : node.queue) {
        item();
        write(each);
      }
      close(']');
    }
    write_nodes("children", node.children);
    close('}');
  }

  void write(const DocCue& cue) {
    open('{');
    key("name");
    text_ += json_string(cue.name);
    if (!cue.label.empty()) {
      key("label");
      text_ += json_string(cue.label);
    }
    key("operations");
    open('[');
    for (const std::string& line : cue.operations->lines) {
      item();
      text_ += line;
    }
    close(']');
    close('}');
  }

  void write(const std::map<std::string, DocLane>& lanes) {
    key("automation");
    open('{');
    for (const auto& [param, lane] : lanes) {
      item();
      text_ += json_string(param) + ": ";
      open('{');
      if (!lane.on) {
        key("on");
        text_ += "false";
      }
      key("points");
      open('[');
      for (const LanePoint& point : *lane.points) {
        item();
        text_ += "{\"frame\": " + std::to_string(point.frame) + ", \"value\": " + json_number(point.value);
        if (point.curve != LaneCurve::linear) text_.append(", \"curve\": \"").append(to_string(point.curve)) += '"';
        text_ += '}';
      }
      close(']');
      close('}');
    }
    close('}');
  }

  void write(const QueueItem& queued) {
    text_ += "{\"file\": " + json_string(queued.file);
    const auto member = [&](const char* name, const std::string& value) {
      text_.append(", \"").append(name).append("\": ").append(value);
    };
    if (queued.in_frame != 0) member("in_frame", std::to_string(queued.in_frame));
    if (queued.out_frame != 0) member("out_frame", std::to_string(queued.out_frame));
    if (queued.loops != 1) member("loops", std::to_string(queued.loops));
    if (queued.gain_db != 0.0) member("gain_db", json_number(queued.gain_db));
    if (queued.fade_in_ms != 0.0) member("fade_in_ms", json_number(queued.fade_in_ms));
    if (queued.fade_out_ms != 0.0) member("fade_out_ms", json_number(queued.fade_out_ms));
    if (queued.fade_in_curve != QueueCurve::linear) member("fade_in_curve", "\"equal_power\"");
    if (queued.fade_out_curve != QueueCurve::linear) member("fade_out_curve", "\"equal_power\"");
    if (queued.crossfade_ms != 0.0) member("crossfade_ms", json_number(queued.crossfade_ms));
    if (queued.crossfade_curve != QueueCurve::linear) member("crossfade_curve", "\"equal_power\"");
    text_ += "}";
  }

  // On one line: there are many, and they read as a table.
  void write(const DocConnection& connection) {
    text_ += "{\"from\": " + json_string(to_string(connection.from, true)) +
             ", \"to\": " + json_string(to_string(connection.to, false));
    if (connection.gain_db != 0.0) text_ += ", \"gain_db\": " + json_number(connection.gain_db);
    if (!connection.channels.empty()) {
      text_ += ", \"channels\": [";
      for (const auto& [from, to] : connection.channels) {
        if (text_.back() != '[') text_ += ", ";
        text_ += "{\"from\": " + std::to_string(from) + ", \"to\": " + std::to_string(to) + "}";
      }
      text_ += "]";
    }
    text_ += "}";
  }

  void line() {
    text_ += '\n';
    text_.append(2 * depth_, ' ');
  }
  void item() {
    if (text_.back() != '[' && text_.back() != '{') text_ += ',';
    line();
  }
  void key(const char* name) {
    item();
    text_ += '"';
    text_ += name;
    text_ += "\": ";
  }
  void open(char bracket) {
    text_ += bracket;
    ++depth_;
  }
  void close(char bracket) {
    --depth_;
    line();
    text_ += bracket;
  }

  std::string text_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string print_session(const Document& document) { return Writer().print(document); }

}  // namespace continuo::session
