#include "server/render/media_scan.hpp"

#include <algorithm>
#include <set>

#include "server/media/probe.hpp"
#include "server/session/cue.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::render {

namespace {

/// Into the table, or among the missing.
void look_at(MediaScan& scan, MissingMedia one, const media::Roots& roots, const std::string& base,
             const std::map<std::string, std::filesystem::path>& given) {
  const std::string name = one.file;
  const auto chosen = given.find(name);
  if (chosen != given.end()) one.file = chosen->second.string();
  const auto found = chosen == given.end() ? roots.find_file(name, base) : chosen->second;
  const auto info = found ? media::probe(*found) : Result<media::MediaInfo>(found.error());
  if (!info) {
    one.error = info.error();
    scan.missing.push_back(std::move(one));
    return;
  }
  if (info->missing_frames > 0) scan.warnings.push_back(one.file + media::cut_off_text(*info));
  scan.table[name] = {info->channels, info->sample_rate_hz, info->frames};
  scan.paths[name] = *found;
}

}  // namespace

MediaScan scan_media(const session::Document& document, const media::Roots& roots, const std::string& base,
                     const std::map<std::string, std::filesystem::path>& given) {
  MediaScan scan;
  std::set<std::string> seen;
  const auto look = [&](const std::string& path, const std::string& param, const std::string& name) {
    if (name.empty() || !seen.insert(name).second) return;
    look_at(scan, {path, param, name, {}}, roots, base, given);
  };
  session::for_each_node(document.nodes, "", [&](const std::string& path, const session::DocNode& node) {
    const session::TypeSpec* type = session::find_type(node.type);
    if (type == nullptr) return;
    for (const session::ParamSpec& spec : type->params) {
      if (spec.kind == session::ParamKind::file) look(path, std::string(spec.name), session::text_of(node, spec.name));
    }
    for (const session::QueueItem& item : node.queue) look(path, "queue", item.file);
  });
  for (const session::BadImpulse& bad : session::check_impulses(document, scan.table)) {
    scan.missing.push_back({bad.node, bad.error.field, bad.file, bad.error});
  }
  return scan;
}

void scan_cues(MediaScan& scan, const session::Document& document, const media::Roots& roots, const std::string& base,
               const std::map<std::string, std::filesystem::path>& given) {
  std::set<std::string> seen;
  for (const session::DocCue& cue : document.cues) {
    session::for_each_cue_file(cue, [&](const std::string& file) {
      if (file.empty() || scan.table.contains(file) || !seen.insert(file).second) return;
      const std::size_t before = scan.missing.size();
      look_at(scan, {"cue " + cue.name, "file", file, {}}, roots, base, given);
      if (scan.missing.size() == before || scan.missing.back().error.reason == "UNKNOWN_ROOT") return;
      // Everything but this cue is played without it.
      scan.warnings.push_back("cue " + cue.name + ": " + scan.missing.back().error.message);
      scan.missing.pop_back();
    });
  }
}

Error missing_media_error(const std::vector<MissingMedia>& missing) {
  constexpr std::size_t kNamed = 5;
  Error error = missing.front().error;
  error.field = missing.front().node + "." + missing.front().param;
  std::string text;
  for (std::size_t i = 0; i < std::min(missing.size(), kNamed); ++i) {
    const auto& [node, param, file, why] = missing[i];
    const bool named = why.message.find(file) != std::string::npos;
    text += (i == 0 ? "" : "; ") + node + ": " + (named ? "" : file + ": ") + why.message;
  }
  if (missing.size() > kNamed) text += "; and " + std::to_string(missing.size() - kNamed) + " more";
  error.message = text;
  return error;
}

std::vector<std::string> missing_media_lines(const std::vector<MissingMedia>& missing) {
  std::vector<std::string> lines;
  for (const auto& [node, param, file, why] : missing) {
    const bool named = why.message.find(file) != std::string::npos;
    lines.push_back(node + ": " + (named ? "" : file + ": ") + why.message + "; it is silent");
  }
  return lines;
}

}  // namespace continuo::render
