// autoray completion: what a shell completes command lines with. The options come from `autoray COMMAND --help` when they are
// asked for, so that there is no second list of them.
#include <cstdio>
#include <string>

#include "command.h"

namespace autoray::tools {
namespace {

constexpr const char* kHelp =
    "usage: autoray completion bash|zsh|fish\n\n"
    "Prints a script by which the shell completes commands, options, backends and operations.\n\n"
    "examples:\n"
    "  source <(autoray completion bash)                        in ~/.bashrc; ~/.zshrc the same with zsh\n"
    "  autoray completion fish > ~/.config/fish/completions/autoray.fish\n";

// COMMANDS is replaced.
constexpr const char* kBash = R"sh(_autoray() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=
  if [ "$word" = = ]; then word=
  elif [ "$before" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='COMMANDS --help --version'
  else
    case $before in
      --backend | backends) words=$("$1" backends 2>/dev/null | sed -n 's/^\([^ ]*\) (.*/\1/p') ;;
      --format) words='text json' ;;
      ops) words=$("$1" ops 2>/dev/null | sed 's/^[^ ]* *//; s/(.*//') ;;
      cache) words='ls verify clear' ;;
      completion) words='bash zsh fish' ;;
      *) case $word in -*) words=$("$1" "${COMP_WORDS[1]}" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u) ;; esac ;;
    esac
  fi
  # Without a match the shell completes files.
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _autoray autoray
)sh";

constexpr const char* kFish = R"sh(function __autoray_options
  autoray (commandline -opc)[2] --help 2>/dev/null | string match -ar -- '--[a-z][a-z-]*' | sort -u
end
complete -c autoray -n __fish_use_subcommand -f -a 'COMMANDS --help --version'
complete -c autoray -n 'not __fish_use_subcommand' -a '(__autoray_options)'
complete -c autoray -n '__fish_seen_subcommand_from backends' -f -a '(autoray backends | string match -rg "^(\S+) \(")'
complete -c autoray -n '__fish_seen_subcommand_from ops' -f -a '(autoray ops | string match -rg "^\S+ +([^(]+)")'
complete -c autoray -n '__fish_seen_subcommand_from cache' -f -a 'ls verify clear'
complete -c autoray -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'
)sh";

}  // namespace

int completion_command(const std::vector<std::string>& arguments) {
  for (const std::string& a : arguments)
    if (a == "--help" || a == "-h") {
      std::fputs(kHelp, stdout);
      return kOk;
    }
  if (arguments.size() != 1) return usage_error("say one of bash, zsh and fish", "`autoray completion --help` tells more");
  const std::string& shell = arguments[0];
  if (shell != "bash" && shell != "zsh" && shell != "fish") {
    std::string near = did_you_mean(shell, {"bash", "zsh", "fish"});
    return usage_error("there is no completion for '" + shell + "'",
                       near.empty() ? "bash, zsh or fish" : "did you mean '" + near + "'?");
  }
  std::string text = shell == "fish" ? kFish : kBash, names;
  for (const Command& c : commands()) names += (names.empty() ? "" : " ") + std::string(c.name);
  text.replace(text.find("COMMANDS"), 8, names);
  if (shell == "zsh") text = "autoload -U +X bashcompinit && bashcompinit\n" + text;
  std::fputs(text.c_str(), stdout);
  return kOk;
}

}  // namespace autoray::tools
